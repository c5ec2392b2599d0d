#include <charconv>
#include <cmath>

#include "serve/json_document.h"
#include "serve/served_model.h"
#include "serve/validation.h"

namespace lanthorn {
namespace {

using Loc = std::vector<std::variant<int64_t, std::string>>;

template <class T>
void append_number(std::string& out, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) {
      out += "null";
      return;
    }
  }
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  out.append(text, end);
}

void append_element(std::string& out, const Tensor& tensor, size_t i, const std::vector<double>& wide) {
  switch (tensor.dtype()) {
    case DType::kF32: return append_number(out, tensor.as<float>()[i]);
    case DType::kI64: return append_number(out, tensor.as<int64_t>()[i]);
    case DType::kU64: return append_number(out, tensor.as<uint64_t>()[i]);
    case DType::kBool: out += tensor.as<uint8_t>()[i] ? "true" : "false"; return;
    case DType::kString: return append_json_string(out, tensor.as<std::string>()[i]);
    default: break;
  }
  is_integer(tensor.dtype()) ? append_number(out, static_cast<int64_t>(wide[i])) : append_number(out, wide[i]);
}

void append_nested(std::string& out, const Tensor& tensor, size_t axis, size_t& next, const std::vector<double>& wide) {
  if (axis == tensor.rank()) return append_element(out, tensor, next++, wide);
  out += '[';
  for (int64_t i = 0; i < tensor.shape()[axis]; ++i) {
    if (i > 0) out += ',';
    append_nested(out, tensor, axis + 1, next, wide);
  }
  out += ']';
}

void append_value(std::string& out, const Value& value) {
  if (const Tensor* tensor = value.tensor()) {
    const auto flat = tensor->contiguous();
    if (!flat) {
      out += "null";
      return;
    }
    size_t next = 0;
    append_nested(out, *flat, 0, next, flat->to_doubles().value_or(std::vector<double>{}));
  } else if (const auto* items = value.sequence()) {
    out += '[';
    for (size_t i = 0; i < items->size(); ++i) {
      if (i > 0) out += ',';
      append_value(out, (*items)[i]);
    }
    out += ']';
  } else {
    out += "null";
  }
}

/// One output as it is; several by their names.
void append_outputs(std::string& out, const std::vector<NamedValue>& outputs) {
  if (outputs.size() == 1) return append_value(out, outputs[0].value);
  out += '{';
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, outputs[i].name);
    out += ':';
    append_value(out, outputs[i].value);
  }
  out += '}';
}

/// The place of the largest value of each row; a NaN counts as the largest, as in NumPy.
std::optional<std::vector<size_t>> arg_max(const std::vector<NamedValue>& outputs) {
  const Tensor* scores = outputs.size() == 1 ? outputs[0].value.tensor() : nullptr;
  if (!scores || scores->rank() != 2 || scores->shape()[1] < 1 || !is_floating(scores->dtype())) return std::nullopt;
  const auto values = scores->to_doubles();
  if (!values) return std::nullopt;
  const auto classes = static_cast<size_t>(scores->shape()[1]);
  std::vector<size_t> places;
  for (size_t row = 0; row < static_cast<size_t>(scores->shape()[0]); ++row) {
    size_t best = 0;
    for (size_t i = 0; i < classes; ++i) {
      const double value = (*values)[row * classes + i], high = (*values)[row * classes + best];
      if (value > high || (std::isnan(value) && !std::isnan(high))) best = i;
    }
    places.push_back(best);
  }
  return places;
}

/// "prediction": the classes, and where the model's classes have names, "labels" too.
void append_classes(std::string& out, const std::vector<size_t>& places, const std::vector<std::string>& labels) {
  out += "\"prediction\":[";
  for (size_t i = 0; i < places.size(); ++i) {
    if (i > 0) out += ',';
    append_number(out, places[i]);
  }
  out += ']';
  if (labels.empty()) return;
  out += ",\"labels\":[";
  for (size_t i = 0; i < places.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, places[i] < labels.size() ? labels[places[i]] : "class " + std::to_string(places[i]));
  }
  out += ']';
}

Answer invalid(std::vector<Detail> details) { return {422, details_json(details)}; }

struct Request {
  std::vector<NamedValue> inputs;
  bool wants_output = false;
};

/// The careful reader: a whole document, every mistake in its place.
bool read_request(const ServedModel& model, std::string_view body, Request& request, std::vector<Detail>& details) {
  if (body.empty()) {
    details.push_back({"missing", {"body"}, "Field required", "null", ""});
    return false;
  }
  const JsonDocument document(body);
  if (const auto& mistake = document.mistake()) {
    std::string context = "{\"error\":";
    append_json_string(context, mistake->message);
    details.push_back({"json_invalid", {"body", static_cast<int64_t>(mistake->position)}, "JSON decode error", "{}", context + "}"});
    return false;
  }
  const JsonDocument::Node& root = document.root();
  std::string echo;
  document.write(root, echo);
  if (root.kind != JsonDocument::Kind::kObject) {
    details.push_back({"model_attributes_type", {"body"},
                       "Input should be a valid dictionary or object to extract fields from", echo, ""});
    return false;
  }
  const auto* data = document.member(root, "data");
  if (!data) {
    details.push_back({"missing", {"body", "data"}, "Field required", echo, ""});
  } else if (model.inputs.size() == 1) {
    request.inputs.push_back({model.inputs[0].name, read_array(document, *data, model.schemas[0], {"body", "data"}, details)});
  } else if (data->kind != JsonDocument::Kind::kObject) {
    std::string input;
    document.write(*data, input);
    details.push_back({"dict_type", {"body", "data"}, "Input should be a valid dictionary", input, ""});
  } else {
    for (size_t i = 0; i < model.inputs.size(); ++i) {
      const Port& port = model.inputs[i];
      const auto* value = document.member(*data, port.name);
      if (value) {
        request.inputs.push_back({port.name, read_array(document, *value, model.schemas[i], {"body", "data", port.name}, details)});
      } else if (!port.optional) {
        std::string input;
        document.write(*data, input);
        details.push_back({"missing", {"body", "data", port.name}, "Field required", input, ""});
      }
    }
  }
  if (const auto* output = document.member(root, "output")) {
    request.wants_output = read_flag(document, *output, {"body", "output"}, details);
  }
  return details.empty();
}

Answer run_request(const ServedModel& model, const Request& request) {
  const auto outputs = model.session.run(std::span<const NamedValue>(request.inputs));
  if (!outputs) {
    const Error& error = outputs.error();
    if (http_status(error.code) == 422) {
      return invalid({{"value_error", {"body", "data"}, "Value error, " + error.text(), "null", ""}});
    }
    return {static_cast<unsigned>(http_status(error.code)), detail_json(error.text())};
  }
  Answer answer{200, "{"};
  if (model.classifier) {
    const auto places = arg_max(*outputs);
    if (!places) return {500, detail_json("the output is no matrix of scores")};
    append_classes(answer.body, *places, model.labels);
    if (request.wants_output) answer.body += ',';
  }
  if (!model.classifier || request.wants_output) {
    answer.body += "\"output\":";
    append_outputs(answer.body, *outputs);
  }
  answer.body += '}';
  return answer;
}

}  // namespace

Answer predict(const ServedModel& model, std::string_view body) {
  Request request;
  Tensor plain;
  if (model.inputs.size() == 1 && read_plain_request(body, model.schemas[0], plain, request.wants_output)) {
    request.inputs.push_back({model.inputs[0].name, std::move(plain)});
  } else {
    request = {};
    std::vector<Detail> details;
    if (!read_request(model, body, request, details)) return invalid(std::move(details));
  }
  return run_request(model, request);
}

Answer predict_picture(const ServedModel& model, std::string_view body) {
  const auto image = decode_image(std::as_bytes(std::span(body)));
  auto tensor = image ? preprocess(*image, *model.pictures) : Result<Tensor>(image.error());
  if (!tensor) {
    if (http_status(tensor.error().code) == 413) return {413, detail_json(tensor.error().text())};
    return invalid({{"value_error", {"body"}, "Value error, " + tensor.error().text(), "null", ""}});
  }
  Request request;
  request.inputs.push_back({model.inputs[0].name, *std::move(tensor)});
  return run_request(model, request);
}

Result<ServedModel> open_served_model(const std::string& name, const std::string& path, const LoadOptions& load_options,
                                      const SessionOptions& options) {
  LAN_TRY(const Model model, load(path, load_options));
  LAN_TRY(Session session, model.session(options));
  ServedModel served{name, path, std::move(session), model.inputs(), {}, model.is_classifier(), {}, {}};
  for (const Port& port : served.inputs) served.schemas.push_back(ArraySchema::of(port));
  std::vector<NamedValue> row;
  for (const Port& port : served.inputs) {
    bool known = port.type == "tensor" && port.has_shape;
    Shape shape;
    for (size_t i = 0; i < port.shape.size(); ++i) {
      const int64_t size = port.shape[i].size;
      known = known && (i == 0 || size >= 0);
      shape.push_back(size >= 0 ? size : 1);
    }
    if (!known) return served;
    LAN_TRY(Tensor zeros, Tensor::allocate(port.dtype, shape));
    row.push_back({port.name, std::move(zeros)});
  }
  LAN_OK(served.session.warm(row));
  return served;
}

}  // namespace lanthorn
