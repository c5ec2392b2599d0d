#pragma once

#include <optional>
#include <span>
#include <vector>

#include "lanthorn/model.h"
#include "lanthorn/result.h"
#include "script/program.h"

namespace lanthorn {

/// The parameters of the entry method; a list of tensors takes what is left of `count`.
std::vector<Port> program_ports(const script::Program& program, std::optional<size_t> count);

/// The arguments of one call, in flattened order.
struct ProgramCall {
  std::vector<Port> ports;  // where a list of tensors takes what the others leave; else empty
  std::vector<Value> values;
  std::vector<script::SignatureInput> signature;
};

/// Matches what is given with the parameters of the entry method, `ports`: tensors become inputs of
/// the graph, numbers, bools and strings part of the signature. kInvalidInput as order_inputs.
Result<ProgramCall> bind_program(const script::Program& program, const std::vector<Port>& ports,
                                 std::span<const NamedValue> given);

}  // namespace lanthorn
