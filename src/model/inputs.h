#pragma once

#include <span>
#include <string>
#include <vector>

#include "lanthorn/model.h"
#include "lanthorn/result.h"
#include "script/program.h"

namespace lanthorn {

/// Brings named inputs into the ports' order: by name, or by position where names are empty or are
/// `in0`, `in1`, ... and no port has them. kInvalidInput for what is missing or not known.
Result<std::vector<Value>> order_inputs(std::span<const NamedValue> inputs, const std::vector<Port>& ports);

/// Checks a tensor against its port: dtype, rank, and sizes that are known. Says what came and what the
/// model wants.
Status check_input(const Value& value, const Port& port);

}  // namespace lanthorn
