#include "model/program_call.h"

#include <algorithm>

#include "model/inputs.h"

namespace lanthorn {
namespace {

/// The tensors of the program's arguments in flattened order become graph inputs; numbers, bools and
/// strings become part of the signature.
Result<script::SignatureInput> signature_input(const Value& value, const Port& port) {
  script::SignatureInput input;
  const Tensor* tensor = value.tensor();
  input.is_tensor = tensor && port.type == "tensor";
  if (input.is_tensor) {
    input.dtype = tensor->dtype();
    input.hint = tensor->shape();
    return input;
  }
  if (!tensor) {
    input.value = value;
    return input;
  }
  if (tensor->count() != 1) {
    return Error{ErrorCode::kInvalidInput,
                 "the program wants " + port.type + ", and an array of shape " +
                     shape_text(tensor->shape()) + " came",
                 "input '" + port.name + "'", ""};
  }
  const bool floating = is_floating(tensor->dtype());
  if (port.type.find("bool") != std::string::npos) {
    input.value = Value(tensor->to_doubles().value_or(std::vector<double>{0})[0] != 0);
  } else if (port.type.find("float") != std::string::npos || floating) {
    input.value = Value(tensor->to_doubles().value_or(std::vector<double>{0})[0]);
  } else if (const auto ints = tensor->to_ints()) {
    input.value = Value((*ints)[0]);
  }
  return input;
}

/// Whether a parameter is a list whose tensors come one by one.
bool takes_the_rest(const Port& port) { return port.type.starts_with("List["); }

}  // namespace

std::vector<Port> program_ports(const script::Program& program, std::optional<size_t> count) {
  std::vector<Port> ports;
  for (const auto& spec : script::program_inputs(program, program.method, count)) {
    Port port;
    port.name = spec.name;
    port.type = spec.type == "Tensor" ? "tensor" : spec.type;
    port.optional = spec.has_default;
    ports.push_back(std::move(port));
  }
  return ports;
}

Result<ProgramCall> bind_program(const script::Program& program, const std::vector<Port>& ports,
                                 std::span<const NamedValue> given) {
  ProgramCall call;
  const bool flat = std::none_of(given.begin(), given.end(), [](const NamedValue& named) {
    return named.value.sequence() != nullptr;
  });
  if (flat && std::any_of(ports.begin(), ports.end(), takes_the_rest)) {
    call.ports = program_ports(program, given.size());
  }
  const std::vector<Port>& used = call.ports.empty() ? ports : call.ports;
  LAN_TRY(call.values, order_inputs(given, used));
  for (size_t i = 0; i < call.values.size(); ++i) {
    LAN_OK(check_input(call.values[i], used[i]));
    LAN_TRY(auto input, signature_input(call.values[i], used[i]));
    call.signature.push_back(std::move(input));
  }
  return call;
}

}  // namespace lanthorn
