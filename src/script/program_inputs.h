#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "script/class_table.h"
#include "script/program.h"

namespace lanthorn::script {

/// How many values of a flat list one parameter takes, and how they are put together.
struct ParameterPlan {
  std::string name;
  Type type;
  bool has_default = false;
  bool leaf = true;                  // one value
  std::vector<ParameterPlan> parts;  // of a tuple or list
};

/// The parameters of a method without its receiver. A list takes what is left of `count`.
std::vector<ParameterPlan> plan_parameters(const FunctionSyntax& method,
                                           std::optional<size_t> count);

}  // namespace lanthorn::script
