#include "model/inputs.h"

#include <algorithm>

namespace lanthorn {
namespace {

std::string wanted_text(const Port& port) {
  std::string text(port.dtype == DType::kUndefined ? "any dtype" : dtype_name(port.dtype));
  if (!port.has_shape) return text;
  text += "[";
  for (size_t i = 0; i < port.shape.size(); ++i) {
    if (i > 0) text += ", ";
    const Port::Dim& dim = port.shape[i];
    text += dim.size >= 0 ? std::to_string(dim.size) : dim.symbol.empty() ? "?" : dim.symbol;
  }
  return text + "]";
}

Error mismatch(const Port& port, const Tensor& tensor, const std::string& why) {
  return Error{ErrorCode::kInvalidInput,
               why + ": got " + std::string(dtype_name(tensor.dtype())) + shape_text(tensor.shape()) +
                   ", the model wants " + wanted_text(port),
               "input '" + port.name + "'", ""};
}

std::string names_of(const std::vector<Port>& ports) {
  std::string text;
  for (const Port& port : ports) text += (text.empty() ? "'" : ", '") + port.name + "'";
  return text;
}

/// The position that a name like `in3` means, or nothing.
std::optional<size_t> position_of(std::string_view name) {
  if (!name.starts_with("in") || name.size() < 3 || name.size() > 6) return std::nullopt;
  size_t position = 0;
  for (const char c : name.substr(2)) {
    if (c < '0' || c > '9') return std::nullopt;
    position = position * 10 + static_cast<size_t>(c - '0');
  }
  return position;
}

}  // namespace

Result<std::vector<Value>> order_inputs(std::span<const NamedValue> inputs,
                                        const std::vector<Port>& ports) {
  std::vector<Value> ordered(ports.size());
  std::vector<bool> present(ports.size(), false);
  const auto place = [&](size_t position, const NamedValue& input) -> Status {
    if (position >= ports.size()) {
      return Error{ErrorCode::kInvalidInput,
                   "the model has " + std::to_string(ports.size()) + " input(s), and input number " +
                       std::to_string(position) + " came",
                   input.name, ""};
    }
    if (present[position]) {
      return Error{ErrorCode::kInvalidInput, "is given twice", "input '" + ports[position].name + "'", ""};
    }
    ordered[position] = input.value;
    present[position] = true;
    return ok();
  };
  const bool any_named = std::any_of(inputs.begin(), inputs.end(), [&](const NamedValue& input) {
    return std::any_of(ports.begin(), ports.end(),
                       [&](const Port& port) { return port.name == input.name; });
  });
  size_t next = 0;
  for (const NamedValue& input : inputs) {
    if (input.name.empty()) {
      LAN_OK(place(next++, input));
      continue;
    }
    const auto port = std::find_if(ports.begin(), ports.end(),
                                   [&](const Port& p) { return p.name == input.name; });
    if (port != ports.end()) {
      LAN_OK(place(static_cast<size_t>(port - ports.begin()), input));
      continue;
    }
    const auto position = position_of(input.name);
    if (!any_named && position) {
      LAN_OK(place(*position, input));
      continue;
    }
    return Error{ErrorCode::kInvalidInput, "the model has no input of this name",
                 "input '" + input.name + "'", "Its inputs are " + names_of(ports) + "."};
  }
  for (size_t i = 0; i < ports.size(); ++i) {
    if (!present[i] && !ports[i].optional) {
      return Error{ErrorCode::kInvalidInput, "is missing; the model wants " + wanted_text(ports[i]),
                   "input '" + ports[i].name + "'", ""};
    }
  }
  return ordered;
}

Status check_input(const Value& value, const Port& port) {
  const Tensor* tensor = value.tensor();
  if (!tensor || port.type != "tensor") return ok();
  if (port.dtype != DType::kUndefined && tensor->dtype() != port.dtype) {
    return mismatch(port, *tensor, "has the wrong dtype");
  }
  if (!port.has_shape) return ok();
  if (tensor->rank() != port.shape.size()) {
    return mismatch(port, *tensor, "has the wrong number of dimensions");
  }
  for (size_t i = 0; i < port.shape.size(); ++i) {
    if (port.shape[i].size >= 0 && port.shape[i].size != tensor->shape()[i]) {
      return mismatch(port, *tensor, "has the wrong size in dimension " + std::to_string(i));
    }
  }
  return ok();
}

}  // namespace lanthorn
