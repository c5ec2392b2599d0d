#include <charconv>

#include "lanthorn/checkpoint.h"

namespace lanthorn {
namespace {

struct Default {
  enum class Type : uint8_t { kNone, kFalse, kTrue, kInt, kFloat, kBetas };
  std::string_view name;
  Type type = Type::kNone;
  double value = 0;
};

using Type = Default::Type;

// What state_dict() of PyTorch 2.13 has in param_groups, in its order.
constexpr Default kSgd[] = {
    {"lr", Type::kFloat, 1e-3},
    {"momentum", Type::kInt},
    {"dampening", Type::kInt},
    {"weight_decay", Type::kInt},
    {"nesterov", Type::kFalse},
    {"maximize", Type::kFalse},
    {"foreach"},
    {"differentiable", Type::kFalse},
    {"fused"},
};
constexpr Default kAdam[] = {
    {"lr", Type::kFloat, 1e-3},
    {"betas", Type::kBetas},
    {"eps", Type::kFloat, 1e-8},
    {"weight_decay", Type::kInt},
    {"amsgrad", Type::kFalse},
    {"maximize", Type::kFalse},
    {"foreach"},
    {"capturable", Type::kFalse},
    {"differentiable", Type::kFalse},
    {"fused"},
    {"decoupled_weight_decay", Type::kFalse},
};
constexpr Default kAdamW[] = {
    {"lr", Type::kFloat, 1e-3},
    {"betas", Type::kBetas},
    {"eps", Type::kFloat, 1e-8},
    {"weight_decay", Type::kFloat, 1e-2},
    {"amsgrad", Type::kFalse},
    {"maximize", Type::kFalse},
    {"foreach"},
    {"capturable", Type::kFalse},
    {"differentiable", Type::kFalse},
    {"fused"},
    {"decoupled_weight_decay", Type::kTrue},
};
constexpr Default kRmsprop[] = {
    {"lr", Type::kFloat, 1e-2},    {"momentum", Type::kInt},
    {"alpha", Type::kFloat, 0.99}, {"eps", Type::kFloat, 1e-8},
    {"centered", Type::kFalse},    {"weight_decay", Type::kInt},
    {"capturable", Type::kFalse},  {"foreach"},
    {"maximize", Type::kFalse},    {"differentiable", Type::kFalse},
};
constexpr Default kAdagrad[] = {
    {"lr", Type::kFloat, 1e-2},
    {"lr_decay", Type::kInt},
    {"eps", Type::kFloat, 1e-10},
    {"weight_decay", Type::kInt},
    {"initial_accumulator_value", Type::kInt},
    {"foreach"},
    {"maximize", Type::kFalse},
    {"differentiable", Type::kFalse},
    {"fused"},
};

std::span<const Default> defaults_of(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kSGD:
      return kSgd;
    case OptimizerKind::kAdam:
      return kAdam;
    case OptimizerKind::kAdamW:
      return kAdamW;
    case OptimizerKind::kRMSprop:
      return kRmsprop;
    case OptimizerKind::kAdagrad:
      return kAdagrad;
    case OptimizerKind::kOther:
      break;
  }
  return {};
}

/// "betas.0" is the first part of the tuple "betas"; any other name is a key.
ObjectId option_id(const ObjectTree& options, std::string_view name) {
  const size_t dot = name.rfind('.');
  if (options.empty()) return kNoObject;
  if (dot == name.npos) return options.find(options.root, name);
  const ObjectId tuple = options.find(options.root, name.substr(0, dot));
  size_t index = 0;
  std::from_chars(name.data() + dot + 1, name.data() + name.size(), index);
  if (tuple == kNoObject || index >= options[tuple].items.size()) return kNoObject;
  return options[tuple].items[index];
}

double number_of(const PlainValue& value, double fallback) {
  if (const double* real = std::get_if<double>(&value)) return *real;
  if (const int64_t* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
  return fallback;
}

}  // namespace

double OptimizerState::Group::option(std::string_view name, double fallback) const {
  const ObjectId id = option_id(options, name);
  if (id == kNoObject) return fallback;
  const Object& object = options[id];
  if (object.kind == Object::Kind::kTensor && object.tensor.count() == 1) {
    const auto values = object.tensor.to_doubles();
    return values ? values->front() : fallback;
  }
  return number_of(options.plain(id), fallback);
}

void OptimizerState::Group::set_option(std::string_view name, const PlainValue& value) {
  if (options.empty()) options.root = options.add_dict();
  const ObjectId id = option_id(options, name);
  if (id == kNoObject) {
    options.set(options.root, name, options.add(value));
    return;
  }
  const ObjectId fresh = options.add(value);
  options.nodes[id] = options.nodes[fresh];
  options.nodes.pop_back();
}

const Tensor* OptimizerState::Parameter::find(std::string_view name) const {
  for (const NamedTensor& entry : tensors) {
    if (entry.name == name) return &entry.tensor;
  }
  return nullptr;
}

void OptimizerState::Parameter::set(std::string_view name, Tensor tensor) {
  std::erase_if(values, [name](const PlainEntry& entry) { return entry.first == name; });
  for (NamedTensor& entry : tensors) {
    if (entry.name != name) continue;
    entry.tensor = std::move(tensor);
    return;
  }
  tensors.push_back({std::string(name), std::move(tensor)});
}

int64_t OptimizerState::Parameter::step() const {
  if (const Tensor* kept = find("step"); kept && kept->count() == 1) {
    const auto numbers = kept->to_doubles();
    return numbers ? static_cast<int64_t>(numbers->front()) : 0;
  }
  for (const auto& [name, value] : values) {
    if (name == "step") return static_cast<int64_t>(number_of(value, 0));
  }
  return 0;
}

void OptimizerState::Parameter::set_step(int64_t step) {
  set("step", Tensor::scalar_f32(static_cast<float>(step)));
}

OptimizerKind OptimizerState::kind() const {
  if (groups.empty() || groups[0].options.empty()) return OptimizerKind::kOther;
  const ObjectTree& options = groups[0].options;
  const auto has = [&](std::string_view name) {
    return options.find(options.root, name) != kNoObject;
  };
  if (has("betas") && has("amsgrad")) {
    return groups[0].option("decoupled_weight_decay", 0) != 0 ? OptimizerKind::kAdamW
                                                              : OptimizerKind::kAdam;
  }
  if (has("alpha") && has("centered")) return OptimizerKind::kRMSprop;
  if (has("lr_decay") && has("initial_accumulator_value")) return OptimizerKind::kAdagrad;
  if (has("dampening") && has("nesterov")) return OptimizerKind::kSGD;
  return OptimizerKind::kOther;
}

OptimizerState::Parameter& OptimizerState::of(int64_t number) {
  for (Parameter& parameter : parameters) {
    if (parameter.number == number) return parameter;
  }
  parameters.push_back({number, {}, {}});
  return parameters.back();
}

Result<OptimizerState> make_optimizer_state(OptimizerKind kind, int64_t parameter_count,
                                            const std::vector<PlainEntry>& options) {
  const std::span<const Default> defaults = defaults_of(kind);
  if (defaults.empty()) {
    return Error{ErrorCode::kUsage, "the options of this optimizer are not known", "",
                 "Fill OptimizerState::groups with them."};
  }
  OptimizerState::Group group;
  ObjectTree& tree = group.options;
  tree.root = tree.add_dict();
  for (const Default& entry : defaults) {
    PlainValue value;
    if (entry.type == Type::kFalse || entry.type == Type::kTrue) value = entry.type == Type::kTrue;
    if (entry.type == Type::kInt) value = static_cast<int64_t>(entry.value);
    if (entry.type == Type::kFloat) value = entry.value;
    const ObjectId id =
        entry.type == Type::kBetas
            ? tree.add_list({tree.add(PlainValue(0.9)), tree.add(PlainValue(0.999))},
                            Object::Kind::kTuple)
            : tree.add(value);
    tree.set(tree.root, entry.name, id);
  }
  for (const auto& [name, value] : options) {
    if (option_id(tree, name) == kNoObject) {
      return Error{ErrorCode::kUsage, "the optimizer has no option '" + name + "'", "", ""};
    }
    group.set_option(name, value);
  }
  for (int64_t i = 0; i < parameter_count; ++i) group.parameters.push_back(i);
  OptimizerState state;
  state.groups.push_back(std::move(group));
  return state;
}

}  // namespace lanthorn
