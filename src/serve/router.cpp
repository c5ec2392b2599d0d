#include "serve/router.h"

#include "serve/openapi.h"
#include "serve/validation.h"

namespace lanthorn {
namespace {

constexpr std::string_view kPredict = "/predict";

HttpAnswer problem(unsigned status, std::string_view what) { return {status, detail_json(what), "application/json", "", ""}; }

HttpAnswer wrong_method(const char* allowed) {
  HttpAnswer answer = problem(405, "Method Not Allowed");
  answer.allow = allowed;
  return answer;
}

bool is_json(std::string_view type) {
  return type.empty() || type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

}  // namespace

Router::Router(std::vector<ServedModel> models) : models_(std::move(models)), openapi_(openapi_document(models_)) {}

const ServedModel* Router::find(std::string_view path) const {
  if (path == kPredict) return models_.size() == 1 ? &models_[0] : nullptr;
  if (!path.starts_with("/predict/")) return nullptr;
  for (const ServedModel& model : models_) {
    if (model.name == path.substr(kPredict.size() + 1)) return &model;
  }
  return nullptr;
}

bool Router::is_quick(const HttpRequest& request) const { return !(request.method == "POST" && find(request.path)); }

HttpAnswer Router::answer_predict(const HttpRequest& request) const {
  const ServedModel* model = find(request.path);
  if (!model) {
    if (request.path == kPredict) return problem(404, "this server has several models: POST to /predict/NAME");
    return problem(404, "Not Found");
  }
  if (request.method != "POST") return wrong_method("POST");
  HttpAnswer answer;
  const bool picture = request.content_type.starts_with("image/") && model->takes_pictures();
  if (!picture && !is_json(request.content_type)) {
    answer = problem(415, "the media type must be application/json, not " + request.content_type);
  } else if (!request.content_encoding.empty() && request.content_encoding != "identity") {
    answer = problem(415, "the content coding '" + request.content_encoding + "' is not supported: send the body as it is");
  } else {
    Answer made = picture ? predict_picture(*model, request.body) : predict(*model, request.body);
    answer.status = made.status;
    answer.body = std::move(made.body);
  }
  answer.model = model->name;
  return answer;
}

HttpAnswer Router::answer(const HttpRequest& request) const {
  const std::string_view path = request.path;
  if (path == kPredict || path.starts_with("/predict/")) return answer_predict(request);
  const bool known = path == "/healthz" || path == "/readyz" || path == "/metrics" || path == "/openapi.json" || path == "/docs" || path == "/";
  if (!known) return problem(404, "Not Found");
  if (request.method != "GET" && request.method != "HEAD") return wrong_method("GET");
  if (path == "/healthz") return {200, R"({"status":"alive"})", "application/json", "", ""};
  if (path == "/readyz") {
    return draining_ ? HttpAnswer{503, R"({"status":"draining","detail":"the server is about to stop"})", "application/json", "", ""}
                     : HttpAnswer{200, R"({"status":"ready"})", "application/json", "", ""};
  }
  if (path == "/metrics") return {200, metrics_.text(), "text/plain; version=0.0.4; charset=utf-8", "", ""};
  if (path == "/openapi.json") return {200, openapi_, "application/json", "", ""};
  return {200, std::string(docs_page()), "text/html; charset=utf-8", "", ""};
}

}  // namespace lanthorn
