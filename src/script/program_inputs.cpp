#include "script/program_inputs.h"

#include <algorithm>

namespace lanthorn::script {
namespace {

const Type& without_optional(const Type& type) {
  return type.optional() && !type.args.empty() ? without_optional(type.args[0]) : type;
}

size_t leaves(const ParameterPlan& plan) {
  if (plan.leaf) return 1;
  size_t count = 0;
  for (const ParameterPlan& part : plan.parts) count += leaves(part);
  return count;
}

ParameterPlan plan_of(std::string name, const Type& declared, bool has_default) {
  const Type& type = without_optional(declared);
  ParameterPlan plan{std::move(name), declared, has_default || declared.optional(), true, {}};
  if (type.is("Tuple") && !type.args.empty()) {
    plan.leaf = false;
    for (size_t i = 0; i < type.args.size(); ++i) {
      plan.parts.push_back(
          plan_of(plan.name + "." + std::to_string(i), type.args[i], plan.has_default));
    }
  }
  return plan;
}

void flatten(const ParameterPlan& plan, std::vector<InputSpec>& out) {
  if (plan.leaf) {
    out.push_back({plan.name, type_text(without_optional(plan.type)), plan.has_default});
    return;
  }
  for (const ParameterPlan& part : plan.parts) flatten(part, out);
}

}  // namespace

std::vector<ParameterPlan> plan_parameters(const FunctionSyntax& method,
                                           std::optional<size_t> count) {
  std::vector<ParameterPlan> plans;
  for (size_t i = 1; i < method.parameters.size(); ++i) {
    const Parameter& parameter = method.parameters[i];
    plans.push_back(
        plan_of(std::string(parameter.name), parameter.type, parameter.fallback != nullptr));
  }
  if (!count) return plans;
  for (size_t i = 0; i < plans.size(); ++i) {
    const Type list = without_optional(plans[i].type);
    if (!list.is("List") || list.args.empty()) continue;
    const Type& element = list.args[0];
    if (!without_optional(element).is("Tensor") && !without_optional(element).is("Tuple")) continue;
    size_t others = 0;
    for (size_t k = 0; k < plans.size(); ++k) {
      if (k != i && !(k > i && plans[k].has_default)) others += leaves(plans[k]);
    }
    const size_t left = *count > others ? *count - others : 0;
    const size_t each = leaves(plan_of("", element, false));
    plans[i].leaf = false;
    for (size_t k = 0; k < left / std::max<size_t>(each, 1); ++k) {
      plans[i].parts.push_back(plan_of(plans[i].name + "." + std::to_string(k), element, false));
    }
    // Optional parameters after a list that takes the rest are absent.
    while (plans.size() > i + 1 && plans.back().has_default) plans.pop_back();
    break;
  }
  return plans;
}

std::vector<InputSpec> program_inputs(const Program& program, std::string_view method,
                                      std::optional<size_t> count) {
  std::vector<InputSpec> out;
  if (!program.root || !program.root->type) return out;
  const auto function = program.root->type->method(method);
  if (!function) return out;
  for (const ParameterPlan& plan : plan_parameters(*function->syntax, count)) flatten(plan, out);
  return out;
}

}  // namespace lanthorn::script
