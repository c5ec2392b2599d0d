// From a program and a signature to a graph: binds inputs, runs the entry method, collects outputs.
#include "script/program.h"

#include <algorithm>
#include <set>

#include "script/attribute_state.h"
#include "script/evaluator.h"
#include "script/interpret.h"
#include "script/instance.h"
#include "script/module_paths.h"
#include "script/program_inputs.h"
#include "script/quantized_tensor.h"

namespace lanthorn::script {
namespace {

using AxisSet = std::set<std::pair<size_t, size_t>>;  // input, axis

constexpr size_t kMaxOutputs = 100'000;

struct Attempt {
  const Program& program;
  std::string_view method;
  const std::vector<SignatureInput>& inputs;
  const AxisSet& known;
  const EvaluationLimits& limits;
  std::span<const lanthorn::Value> tensors = {};  // of an interpreted program
  const std::vector<NamedValue>* state = nullptr;  // attributes to start from

  GraphLowering lowering = GraphLowering();
  std::multimap<std::string, std::pair<size_t, size_t>> axis_of_symbol = {};
  size_t next = 0;  // leaf
  size_t output_count = 0;
  size_t next_tensor = 0;
  bool needs_data = false;  // nothing was missing but what only the data tells
  std::vector<NamedValue> attributes = {};  // that an interpreted run with a state left

  Value value_of(const lanthorn::Value& value, const std::string& name, const Type& type);
  Result<Value> leaf(const ParameterPlan& plan);
  Result<Value> build(const ParameterPlan& plan, bool& absent);
  Result<Value> call_entry(Evaluator& evaluator, const std::shared_ptr<Object>& root,
                           CallArguments arguments);
  Result<OutputTree> output(const Value& value, std::vector<ValueId>& outputs, int depth);
  Result<Evaluation> run();
  Status start_from_state(const std::shared_ptr<Object>& root);
  Status keep_state(const Object& root);
  Value input(const std::string& name, DType dtype, Dims dims, const Tensor* at_hand);
};

/// A graph input; of an interpreted program with its tensor.
Value Attempt::input(const std::string& name, DType dtype, Dims dims, const Tensor* at_hand) {
  const size_t index = lowering.graph()->inputs.size();
  Value value(lowering.input(name, dtype, std::move(dims)));
  if (at_hand) lowering.bind(lowering.graph()->inputs[index], *at_hand);
  return value;
}

Value Attempt::value_of(const lanthorn::Value& value, const std::string& name, const Type& type) {
  if (const int64_t* integer = value.integer()) {
    if (type.is("float")) return Value::of_double(static_cast<double>(*integer));
    if (type.is("bool")) return Value::of_bool(*integer != 0);
    return Value(Dim(*integer));
  }
  if (const double* real = value.real()) {
    if (type.is("int")) return Value(Dim(static_cast<int64_t>(*real)));
    return Value::of_double(*real);
  }
  if (const bool* flag = value.flag()) return Value::of_bool(*flag);
  if (const std::string* text = value.text()) return Value(*text);
  if (const Tensor* tensor = value.tensor()) {
    const Dims dims(tensor->shape().begin(), tensor->shape().end());
    return input(name, tensor->dtype(), dims, lowering.run_piece ? tensor : nullptr);
  }
  const Type element = type.args.empty() ? Type{"Any", {}} : type.args.back();
  if (const auto* sequence = value.sequence()) {
    std::vector<Value> items;
    for (const lanthorn::Value& item : *sequence) {
      items.push_back(value_of(item, name + "." + std::to_string(items.size()), element));
    }
    if (type.is("Tuple")) return make_tuple(std::move(items));
    return make_list(std::move(items), type.is("List") ? type_text(element) : "");
  }
  if (const auto* map = value.map()) {
    auto dict = std::make_shared<Dict>();
    for (const auto& [key, item] : *map) {
      const std::string key_text = key.text() ? *key.text() : std::to_string(dict->entries.size());
      dict->entries.emplace_back(value_of(key, "", {"Any", {}}),
                                 value_of(item, name + "." + key_text, element));
    }
    return Value(std::move(dict));
  }
  return Value(None{});
}

Result<Value> Attempt::leaf(const ParameterPlan& plan) {
  const size_t index = next++;
  if (index >= inputs.size()) return Value(None{});
  const SignatureInput& input = inputs[index];
  const Type type = plan.type.optional() && !plan.type.args.empty() ? plan.type.args[0] : plan.type;
  if (!input.is_tensor) return value_of(input.value, plan.name, type);
  if (type.is("int") || type.is("float") || type.is("bool") || type.is("str")) {
    return Error{ErrorCode::kInvalidInput,
                 "a tensor came where the program wants a known " + type.name,
                 "input '" + plan.name + "'", ""};
  }
  Dims dims;
  const Tensor* at_hand = next_tensor < tensors.size() ? tensors[next_tensor].tensor() : nullptr;
  ++next_tensor;
  for (size_t axis = 0; axis < input.hint.size(); ++axis) {
    if (known.contains({index, axis})) {
      dims.emplace_back(input.hint[axis]);
      continue;
    }
    if (input.dims && (*input.dims)[axis].is_known()) {
      dims.push_back((*input.dims)[axis]);
      continue;
    }
    const bool batch = axis == 0 && !axis_of_symbol.contains("batch");
    std::string symbol = batch ? "batch" : plan.name + "_" + std::to_string(axis);
    if (input.dims) symbol = (*input.dims)[axis].symbol_name();
    axis_of_symbol.emplace(symbol, std::pair(index, axis));
    lowering.symbols.hints.emplace(symbol, input.hint[axis]);
    dims.push_back(Dim::symbol(symbol));
  }
  return this->input(plan.name, input.dtype, std::move(dims), at_hand);
}

Result<Value> Attempt::build(const ParameterPlan& plan, bool& absent) {
  if (plan.leaf) {
    absent = next >= inputs.size() || (!inputs[next].is_tensor && inputs[next].value.is_none());
    return leaf(plan);
  }
  std::vector<Value> items;
  bool all_absent = !plan.parts.empty();
  for (const ParameterPlan& part : plan.parts) {
    bool part_absent = false;
    LAN_TRY(Value item, build(part, part_absent));
    all_absent &= part_absent;
    items.push_back(std::move(item));
  }
  absent = all_absent;
  if (absent && plan.has_default) return Value(None{});
  const Type type = plan.type.optional() && !plan.type.args.empty() ? plan.type.args[0] : plan.type;
  if (type.is("List")) return make_list(std::move(items), type_text(type.args[0]));
  return make_tuple(std::move(items));
}

/// The entry method with the root module's hooks around it, as calling a module runs them. (Calls
/// of modules within the code have theirs printed.)
Result<Value> Attempt::call_entry(Evaluator& evaluator, const std::shared_ptr<Object>& root,
                                  CallArguments arguments) {
  const ClassSyntax& syntax = *root->type->syntax;
  const bool hooked =
      method == "forward" && !(syntax.forward_pre_hooks.empty() && syntax.forward_hooks.empty());
  if (!hooked) return evaluator.call_method(root, method, std::move(arguments));
  std::vector<Value> given = std::move(arguments.positional);
  for (auto& [name, value] : arguments.keywords) given.push_back(std::move(value));
  for (const std::string& hook : syntax.forward_pre_hooks) {
    LAN_TRY(const Value changed, evaluator.call_method(root, hook, {{make_tuple(given)}, {}}));
    if (const auto tuple = changed.tuple()) {
      given = tuple->items;
    } else if (!changed.is_none()) {
      given = {changed};
    }
  }
  LAN_TRY(Value result, evaluator.call_method(root, method, {given, {}}));
  for (const std::string& hook : syntax.forward_hooks) {
    LAN_TRY(Value changed, evaluator.call_method(root, hook, {{make_tuple(given), result}, {}}));
    if (!changed.is_none()) result = std::move(changed);
  }
  return result;
}

Result<OutputTree> Attempt::output(const Value& value, std::vector<ValueId>& outputs, int depth) {
  using Kind = OutputTree::Kind;
  if (depth > 100 || ++output_count > kMaxOutputs) {
    return Error{ErrorCode::kLimit, "the program's result is nested too deep or has too many parts",
                 "", ""};
  }
  OutputTree tree;
  const auto items = [&](Kind kind, const std::vector<Value>& values) -> Result<OutputTree> {
    tree.kind = kind;
    for (const Value& item : values) {
      LAN_TRY(OutputTree part, output(item, outputs, depth + 1));
      tree.items.push_back(std::move(part));
    }
    return std::move(tree);
  };
  const auto add = [&](ValueId id) -> Status {
    const bool plain = lowering.known(id) ||
                       std::find(outputs.begin(), outputs.end(), id) != outputs.end() ||
                       std::find(lowering.graph()->inputs.begin(), lowering.graph()->inputs.end(),
                                 id) != lowering.graph()->inputs.end();
    if (plain) {
      LAN_TRY(id, lowering.emit("Identity", {id}));
    }
    outputs.push_back(id);
    return ok();
  };
  if (const TensorRef tensor = value.tensor()) {
    LAN_TRY(ValueId id, lowering.read(tensor));
    if (is_complex(tensor->dtype)) {
      LAN_TRY(id, lowering.emit("ViewAsComplex", {id}, {}, "lanthorn"));
    }
    LAN_OK(add(id));
    return tree;
  }
  if (const Dim* integer = value.integer()) {
    if (integer->is_known()) {
      tree.kind = Kind::kInt;
      tree.value = lanthorn::Value(integer->value());
      return tree;
    }
    LAN_TRY(const ValueId id, operand(lowering, value, DType::kI64));
    LAN_OK(add(id));
    return tree;
  }
  if (const bool* flag = value.flag()) {
    tree.kind = Kind::kBool;
    tree.value = lanthorn::Value(*flag);
    return tree;
  }
  if (const double* real = value.real()) {
    tree.kind = Kind::kFloat;
    tree.value = lanthorn::Value(*real);
    return tree;
  }
  if (const std::string* text = value.text()) {
    tree.kind = Kind::kString;
    tree.value = lanthorn::Value(*text);
    return tree;
  }
  if (value.is_none()) {
    tree.kind = Kind::kNone;
    return tree;
  }
  if (const auto list = value.list()) return items(Kind::kList, list->items);
  if (const auto tuple = value.tuple()) {
    tree.names = tuple->names;
    return items(Kind::kTuple, tuple->items);
  }
  if (const auto dict = value.dict()) {
    std::vector<Value> values;
    for (const auto& [key, item] : dict->entries) {
      const Dim* number = key.integer();
      tree.names.push_back(key.text() ? *key.text() : number ? number->text() : kind_of(key));
      values.push_back(item);
    }
    return items(Kind::kDict, values);
  }
  if (is_quantized_tensor(value)) {
    LAN_TRY(const TensorRef numbers, numbers_of(lowering, value));
    return output(Value(numbers), outputs, depth);
  }
  if (const auto object = value.object();
      object && object->type && object->type->kind != ClassType::Kind::kModule) {
    std::vector<Value> values;
    for (const auto& [name, item] : object->attributes) {
      tree.names.push_back(name);
      values.push_back(item);
    }
    return items(Kind::kTuple, values);
  }
  return Error{ErrorCode::kUnsupported, "the program's result holds a " + kind_of(value), "", ""};
}

Status Attempt::start_from_state(const std::shared_ptr<Object>& root) {
  for (const NamedValue& kept : *state) {
    const AttributePlace place = place_of(root, kept.name);
    if (!place.holder)
      return Error{ErrorCode::kInvalidInput, "the state has an attribute '" + kept.name + "' that this model has not", "", ""};
    const FieldSyntax* field = place.holder->type ? place.holder->type->field(place.name) : nullptr;
    const Type declared = field ? field->type : Type{"Any", {}};
    const Type& type = declared.optional() && !declared.args.empty() ? declared.args[0] : declared;
    place.holder->set(place.name, value_of(kept.value, "state." + kept.name, type));
  }
  return ok();
}

Status Attempt::keep_state(const Object& root) {
  for (const auto& [path, value] : changed_attributes(root, *program.root)) {
    LAN_TRY(lanthorn::Value now, value_now(lowering, value));
    attributes.push_back({path, std::move(now)});
  }
  return ok();
}

Result<Evaluation> Attempt::run() {
  const Instance instance = instance_of(program);
  if (!instance.root || !instance.root->type)
    return Error{ErrorCode::kUnsupported, "the file holds no program", "", ""};
  const auto function = instance.root->type->method(method);
  if (!function) {
    std::string names;
    for (const std::string& name : program.methods) names += (names.empty() ? "" : ", ") + name;
    return Error{ErrorCode::kUnsupported, "the program has no method '" + std::string(method) + "'",
                 "", names.empty() ? "" : "It has " + names + "."};
  }
  if (state) LAN_OK(start_from_state(instance.root));
  Evaluator evaluator(*program.classes, instance.constants, program.version, lowering, limits);
  const std::unordered_map<const Object*, std::string> paths = module_paths(*instance.root);
  lowering.module_path = [&]() -> std::string {
    const auto module = evaluator.module();
    const auto found = paths.find(module.get());
    return found == paths.end() ? "" : found->second;
  };
  CallArguments arguments;
  const auto plans = plan_parameters(*function->syntax, inputs.size());
  for (const ParameterPlan& plan : plans) {
    bool absent = false;
    LAN_TRY(Value value, build(plan, absent));
    if (absent && plan.has_default) {
      const auto& formal = function->syntax->parameters;
      const auto parameter = std::find_if(formal.begin(), formal.end(),
                                          [&](const Parameter& p) { return p.name == plan.name; });
      if (parameter != formal.end() && parameter->fallback) continue;  // the default
    }
    if (absent && !plan.has_default) {
      return Error{ErrorCode::kInvalidInput,
                   "is missing; the program wants a " + type_text(plan.type),
                   "input '" + plan.name + "'", ""};
    }
    arguments.keywords.emplace_back(plan.name, std::move(value));
  }
  auto result = call_entry(evaluator, instance.root, std::move(arguments));
  // What was not supported says more than what it led to.
  if (auto unsupported = evaluator.unsupported()) {
    needs_data = evaluator.lacks_only_data();
    return *std::move(unsupported);
  }
  if (!result) {
    needs_data = result.error().code == ErrorCode::kUnsupported && lowering.symbols.asked_unknown;
    return std::move(result).error();
  }

  Evaluation out;
  std::vector<ValueId> outputs;
  LAN_TRY(out.outputs, output(*result, outputs, 0));
  if (lowering.run_piece) {
    LAN_OK(lowering.compute(outputs));
    if (state) LAN_OK(keep_state(*instance.root));
    lowering.graph()->outputs = std::move(outputs);
  } else if (lowering.symbols.asked.empty()) {
    Graph& graph = *lowering.graph();
    graph.outputs = std::move(outputs);
    graph.name = instance.root->type->readable_name();
    remove_dead_nodes(graph);
  }
  out.graph = lowering.graph();
  out.notes = std::move(lowering.notes);
  return out;
}

AxisSet all_axes_of(const std::vector<SignatureInput>& inputs) {
  AxisSet all;
  for (size_t i = 0; i < inputs.size(); ++i) {
    for (size_t axis = 0; inputs[i].is_tensor && axis < inputs[i].hint.size(); ++axis)
      all.emplace(i, axis);
  }
  return all;
}

}  // namespace

Result<Interpretation> interpret(const Program& program, std::string_view method,
                                 const std::vector<SignatureInput>& inputs,
                                 std::span<const lanthorn::Value> tensors, const RunPiece& run,
                                 const EvaluationLimits& limits,
                                 const std::vector<NamedValue>* state) {
  const AxisSet all = all_axes_of(inputs);
  Attempt attempt{.program = program, .method = method, .inputs = inputs, .known = all, .limits = limits, .tensors = tensors, .state = state};
  attempt.lowering.run_piece = run;
  LAN_TRY(Evaluation evaluation, attempt.run());
  Interpretation out{std::move(evaluation.outputs), {}, std::move(evaluation.notes), std::move(attempt.attributes)};
  for (const ValueId id : evaluation.graph->outputs) {
    const Tensor* known = attempt.lowering.known(id);
    if (!known && !attempt.lowering.is_bound(id))
      return Error{ErrorCode::kUnsupported, "the program's result holds what is no tensor", "", ""};
    out.tensors.emplace_back(known ? *known : attempt.lowering.bound(id));
  }
  return out;
}

Result<Evaluation> evaluate(const Program& program, std::string_view method,
                            const std::vector<SignatureInput>& inputs,
                            const EvaluationLimits& limits, bool* needs_data) {
  const AxisSet all = all_axes_of(inputs);
  AxisSet known;
  while (true) {
    Attempt attempt{program, method, inputs, known, limits};
    auto evaluation = attempt.run();
    AxisSet more = known;
    for (const std::string& symbol : attempt.lowering.symbols.asked) {
      const auto [first, last] = attempt.axis_of_symbol.equal_range(symbol);
      for (auto it = first; it != last; ++it) more.insert(it->second);
    }
    if (more == known) {
      if (evaluation) {
        for (const auto& [input, axis] : known)
          evaluation->guards.push_back({input, axis, inputs[input].hint[axis]});
        return evaluation;
      }
      // It may be that symbolic sizes were what could not be done.
      if (known == all) {
        if (needs_data) *needs_data = attempt.needs_data;
        return evaluation;
      }
      more = all;
    }
    known = std::move(more);
  }
}

}  // namespace lanthorn::script
