// https://spec.openapis.org/oas/v3.1.0

#include "serve/openapi.h"

#include "lanthorn/lanthorn.h"
#include "serve/json_document.h"

namespace lanthorn {
namespace {

constexpr std::string_view kDetailSchemas = R"("HTTPValidationError":{"title":"HTTPValidationError","type":"object",)"
    R"("properties":{"detail":{"title":"Detail","type":"array","items":{"$ref":"#/components/schemas/ValidationError"}}}},)"
    R"("ValidationError":{"title":"ValidationError","type":"object","required":["loc","msg","type"],"properties":{)"
    R"("loc":{"title":"Location","type":"array","items":{"anyOf":[{"type":"string"},{"type":"integer"}]}},)"
    R"("msg":{"title":"Message","type":"string"},"type":{"title":"Error Type","type":"string"},)"
    R"("input":{"title":"Input"},"ctx":{"title":"Context","type":"object"}}},)"
    R"("Problem":{"title":"Problem","type":"object","required":["detail"],"properties":{"detail":{"type":"string"}}})";

std::string data_schema(const ServedModel& model) {
  if (model.inputs.size() == 1) return model.schemas[0].json_schema();
  std::string properties, required;
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    std::string name;
    append_json_string(name, model.inputs[i].name);
    properties += (i > 0 ? "," : "") + name + ":" + model.schemas[i].json_schema();
    if (!model.inputs[i].optional) required += (required.empty() ? "" : ",") + name;
  }
  return "{\"type\":\"object\",\"properties\":{" + properties + "},\"required\":[" + required + "]}";
}

std::string request_schema(const ServedModel& model) {
  return "{\"title\":\"PredictRequest\",\"type\":\"object\",\"required\":[\"data\"],\"properties\":{\"data\":" + data_schema(model) +
         ",\"output\":{\"type\":\"boolean\",\"default\":false,\"description\":\"also answer the raw outputs\"}}}";
}

std::string response_schema(const ServedModel& model) {
  if (!model.classifier) return R"({"title":"PredictResponse","type":"object","required":["output"],"properties":{"output":{}}})";
  std::string labels;
  if (!model.labels.empty()) labels = R"("labels":{"type":"array","items":{"type":"string"}},)";
  return R"({"title":"PredictResponse","type":"object","required":["prediction"],"properties":{)"
         R"("prediction":{"type":"array","items":{"type":"integer"}},)" +
         labels + R"("output":{"type":"array","items":{"type":"array"}}}})";
}

std::string problem(const char* status, const char* what) {
  return std::string(",\"") + status + "\":{\"description\":\"" + what +
         "\",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}";
}

std::string predict_path(const std::string& path, const ServedModel& model) {
  std::string out;
  append_json_string(out, path);
  std::string summary;
  append_json_string(summary, "Predict with '" + model.name + "'");
  out += ":{\"post\":{\"summary\":" + summary + ",\"operationId\":";
  append_json_string(out, "predict" + (path == "/predict" ? "" : "_" + model.name));
  out += ",\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":" + request_schema(model) +
         "}}},\"responses\":{\"200\":{\"description\":\"The prediction\",\"content\":{\"application/json\":{\"schema\":" +
         response_schema(model) +
         "}}},\"422\":{\"description\":\"Validation Error\",\"content\":{\"application/json\":{\"schema\":"
         "{\"$ref\":\"#/components/schemas/HTTPValidationError\"}}}}" +
         problem("413", "The body is too large") + problem("415", "The media type is not JSON") + "}}}";
  return out;
}

std::string get_path(const char* path, const char* summary, const char* type, const char* schema) {
  return std::string("\"") + path + "\":{\"get\":{\"summary\":\"" + summary + "\",\"responses\":{\"200\":{\"description\":\"" + summary +
         "\",\"content\":{\"" + type + "\":{\"schema\":" + schema + "}}}" +
         (std::string_view(path) == "/readyz" ? problem("503", "Not ready") : "") + "}}}";
}

}  // namespace

std::string openapi_document(const std::vector<ServedModel>& models) {
  std::string out = "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"lanthorn\",\"version\":\"" + std::string(version()) + "\"},\"paths\":{";
  if (models.size() == 1) out += predict_path("/predict", models[0]) + ",";
  for (const ServedModel& model : models) out += predict_path("/predict/" + model.name, model) + ",";
  constexpr const char* kStatus = R"({"type":"object","required":["status"],"properties":{"status":{"type":"string"}}})";
  out += get_path("/healthz", "Whether the process is alive", "application/json", kStatus) + ",";
  out += get_path("/readyz", "Whether every model is loaded", "application/json", kStatus) + ",";
  out += get_path("/metrics", "Counters and latencies for Prometheus", "text/plain", R"({"type":"string"})");
  out += "},\"components\":{\"schemas\":{";
  out += kDetailSchemas;
  return out + "}}}";
}

}  // namespace lanthorn
