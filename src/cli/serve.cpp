#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "cli/classes_shared.h"
#include "cli/command.h"
#include "cli/command_line_shared.h"
#include "serve/router.h"

namespace lanthorn {
namespace {

struct Options {
  std::vector<std::string> models, shapes;
  std::string http = "127.0.0.1:8080";
  std::string grpc, preprocess, labels;
  std::string precision = "fp32";
  int threads = 0;
  HttpLimits limits;
  uint64_t max_body_mb = 64;
};

struct Place {
  std::string host;
  uint16_t port = 0;
};

Result<Place> parse_place(const std::string& text) {
  const size_t colon = text.rfind(':');
  Place place;
  if (colon != text.npos) {
    place.host = text.substr(0, colon);
    if (place.host.size() > 2 && place.host.front() == '[' && place.host.back() == ']') {
      place.host = place.host.substr(1, place.host.size() - 2);
    }
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, place.port);
    if (error == std::errc() && stop == end && !place.host.empty()) return place;
  }
  return Error{ErrorCode::kUsage, "is not HOST:PORT", text, "Write 127.0.0.1:8080, or 0.0.0.0:8080 for all addresses."};
}

/// "NAME=FILE" or "FILE", whose name is its stem.
std::pair<std::string, std::string> split_name(const std::string& text) {
  const size_t equal = text.find('=');
  if (equal != text.npos && text.substr(0, equal).find('/') == text.npos) return {text.substr(0, equal), text.substr(equal + 1)};
  return {std::filesystem::path(text).stem().string(), text};
}

Status serve(const Options& options) {
  LAN_TRY(const Place place, parse_place(options.http));
  LoadOptions load_options;
  LAN_TRY(load_options.input_shapes, parse_input_shapes(options.shapes));
  SessionOptions session_options;
  session_options.threads = options.threads;
  session_options.precision = options.precision == "bf16" ? Precision::kBF16 : Precision::kF32;
  std::optional<Preprocess> pictures;
  if (!options.preprocess.empty()) {
    LAN_TRY(pictures, load_preprocess(options.preprocess));
  }
  std::vector<std::string> labels;
  if (!options.labels.empty()) {
    LAN_TRY(labels, read_labels(options.labels));
  }
  std::vector<ServedModel> models;
  for (const std::string& text : options.models) {
    const auto [name, path] = split_name(text);
    for (const ServedModel& other : models) {
      if (other.name == name) {
        return Error{ErrorCode::kUsage, "two models have the name '" + name + "'", path, "Name them: NAME=FILE."};
      }
    }
    auto model = open_served_model(name, path, load_options, session_options);
    if (!model) return std::move(model).error();
    model->pictures = pictures;
    if (model->classifier) model->labels = labels;
    models.push_back(*std::move(model));
  }
  Router router(std::move(models));
  HttpServer::Handler handler;
  handler.answer = [&router](const HttpRequest& request) { return router.answer(request); };
  handler.is_quick = [&router](const HttpRequest& request) { return router.is_quick(request); };
  handler.answered = [&router](const HttpAnswer& answer, double seconds) { router.metrics().count(answer.model, answer.status, seconds); };
  handler.connection = [&router](bool opened) { opened ? router.metrics().connection_opened() : router.metrics().connection_closed(); };
  handler.draining = [&router] { router.set_draining(); };
  const int workers = options.threads > 0 ? options.threads : usable_cpus();
  HttpServer server(std::move(handler), options.limits, workers);
  LAN_OK(server.listen(place.host, place.port));
  const bool v6 = place.host.find(':') != std::string::npos;
  std::printf("lanthorn: ready http://%s%s%s:%u\n", v6 ? "[" : "", place.host.c_str(), v6 ? "]" : "", server.port());
  std::fflush(stdout);
  server.run();
  return ok();
}

int run_command(int argc, char** argv) {
  Options options;
  CLI::App app{"Serves models over HTTP: POST /predict, /healthz, /readyz, /metrics, /openapi.json, /docs.", "lanthorn serve"};
  app.add_option("MODEL", options.models, "[NAME=]FILE; the name is the file's stem unless given")->required();
  app.add_option("--http", options.http, "where to listen")->capture_default_str();
  app.add_option("--grpc", options.grpc, "accepted for scripts that give it; this version answers HTTP only, and says so");
  app.add_option("--threads", options.threads, "the most threads to use (default: all)")->check(CLI::Range(0, 4096));
  app.add_option("--preprocess", options.preprocess, "models whose input is a picture take PNG and JPEG bodies too: imagenet, digits or FILE.json");
  app.add_option("--labels", options.labels, "names of a classifier's classes, one a line; the answer has them too, as \"labels\"");
  app.add_option("--input-shape", options.shapes, "NAME:batch,3,224,224 where a file does not tell")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--precision", options.precision, "fp32, or bf16: products and convolutions with weights in bfloat16 (half the memory), sums in float32")->check(CLI::IsMember({"fp32", "bf16"}))->capture_default_str();
  app.add_option("--max-body-mb", options.max_body_mb, "the largest body that is read, in MB")->check(CLI::Range(1, 4000))->capture_default_str();
  app.add_option("--max-connections", options.limits.max_connections, "connections at once; more wait")->check(CLI::Range(1, 1000000))->capture_default_str();
  app.add_option("--idle-seconds", options.limits.idle_seconds, "how long a connection may stay between requests")->check(CLI::Range(1, 86400))->capture_default_str();
  app.add_option("--drain-seconds", options.limits.drain_seconds, "after SIGTERM, for what is under way")->check(CLI::Range(0, 86400))->capture_default_str();
  app.footer("Examples:\n"
             "  lanthorn serve model.pt\n"
             "  lanthorn serve digits=model.onnx --http 0.0.0.0:8000\n"
             "  curl -H 'Content-Type: application/json' -d '{\"data\": [[0.5, 1.5]]}' http://127.0.0.1:8080/predict");
  int status = 0;
  if (!parse_arguments(app, argc, argv, status)) return status;
  options.limits.max_body_bytes = options.max_body_mb << 20;
  if (!options.grpc.empty()) std::fprintf(stderr, "lanthorn: warning: gRPC is not supported yet, nothing listens on %s\n", options.grpc.c_str());
  const Status done = serve(options);
  return done ? 0 : report(done.error());
}

}  // namespace

extern constinit const Command command_serve{"serve", "serves models over HTTP", run_command};

}  // namespace lanthorn
