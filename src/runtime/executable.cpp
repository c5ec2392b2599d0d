#include "runtime/executable.h"

#include <algorithm>
#include <string>
#include <utility>

#include "graph/graph.h"
#include "graph/clone_graph.h"
#include "optimize/pipeline.h"
#include "runtime/memory_plan.h"
#include "runtime/node_run.h"
#include "runtime/plan_cache.h"
#include "runtime/planner.h"
#include "runtime/step_executor.h"

namespace lanthorn {

namespace {

bool fits(const Tensor& tensor, const ValueType& type) {
  if (type.kind != ValueType::Kind::kTensor) return type.kind == ValueType::Kind::kUnknown;
  if (type.dtype != DType::kUndefined && type.dtype != tensor.dtype()) return false;
  if (!type.ranked) return true;
  if (type.dims.size() != tensor.rank()) return false;
  for (size_t i = 0; i < type.dims.size(); ++i) {
    if (type.dims[i].is_known() && type.dims[i].value() != tensor.shape()[i]) return false;
  }
  return true;
}

class GraphExecutable final : public Executable {
 public:
  GraphExecutable(Graph graph, std::vector<ValueType> wanted, const ExecutableOptions& options)
      : graph_(std::move(graph)), wanted_(std::move(wanted)), options_(options), plans_(options.max_plans) {}

  Status prepare() {
    LAN_TRY(steps_, StepExecutor::create(graph_, options_.optimize ? &packed_ : nullptr, options_.isa, options_.bf16));
    return ok();
  }

  Result<std::vector<Value>> run(std::span<const Value> inputs, const RunOptions& options) const override {
    return run_timed(inputs, options, nullptr);
  }

  Status warm(std::span<const Value> inputs, const RunOptions& options) const override {
    LAN_OK(check_inputs(inputs));
    if (!plannable(inputs)) return ok();
    LAN_TRY(const auto plan, plan_for(inputs, options));
    static_cast<void>(plan);
    return ok();
  }

  Result<std::vector<StepTime>> profile(std::span<const Value> inputs, const RunOptions& options) const override {
    std::vector<StepTime> times;
    LAN_TRY(const auto outputs, run_timed(inputs, options, &times));
    static_cast<void>(outputs);
    return times;
  }

  const Graph& graph() const override { return graph_; }

 private:
  Status check_inputs(std::span<const Value> inputs) const {
    if (inputs.size() != graph_.inputs.size()) {
      return Error{ErrorCode::kInvalidInput,
                   std::to_string(inputs.size()) + " inputs came; the model wants " + std::to_string(graph_.inputs.size()), ""};
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Tensor* tensor = inputs[i].tensor();
      if (wanted_[i].kind != ValueType::Kind::kTensor && !tensor) continue;
      const bool inside = wanted_[i].kind == ValueType::Kind::kOptional && wanted_[i].element;
      if (tensor && tensor->defined() && fits(*tensor, inside ? *wanted_[i].element : wanted_[i])) continue;
      const std::string came = tensor && tensor->defined() ? type_text(type_of(inputs[i])) : "no tensor";
      return Error{ErrorCode::kInvalidInput,
                   "input '" + graph_.values[graph_.inputs[i]].name + "' is " + came + "; the model wants " +
                       type_text(wanted_[i]), ""};
    }
    return ok();
  }

  bool plannable(std::span<const Value> inputs) const {
    if (!options_.optimize) return false;
    for (const Value& input : inputs) {
      if (!input.tensor()) return false;
    }
    return true;
  }

  Result<std::shared_ptr<const Plan>> plan_for(std::span<const Value> inputs, const RunOptions& options) const {
    return plans_.get(inputs, options.threads, [&] {
      std::vector<ValueType> types;
      for (const Value& input : inputs) types.push_back(type_of(input));
      return make_plan({graph_, types, packed_, options_.isa, options, options_.bf16});
    });
  }

  Result<std::vector<Value>> run_timed(std::span<const Value> inputs, const RunOptions& options,
                                       std::vector<StepTime>* times) const {
    LAN_OK(check_inputs(inputs));
    if (plannable(inputs)) {
      LAN_TRY(const std::shared_ptr<const Plan> plan, plan_for(inputs, options));
      if (plan) return plan->run(inputs, options, times);
    }
    RunOptions bounded = options;
    bounded.max_bytes = std::min(options.max_bytes, memory_budget());
    return steps_->run(inputs, {}, bounded, times);
  }

  const Graph graph_;
  const std::vector<ValueType> wanted_;
  const ExecutableOptions options_;
  std::unique_ptr<const StepExecutor> steps_;
  mutable PackedConstants packed_;
  mutable PlanCache plans_;
};

}  // namespace

namespace {

/// Kernels and views of constants want aligned elements in C order; files and passes may keep others.
Status straighten_constants(Graph& graph) {
  for (GraphValue& value : graph.values) {
    if (!value.constant || !value.constant->defined()) continue;
    LAN_TRY(value.constant, value.constant->contiguous());
  }
  return ok();
}

}  // namespace

Result<std::shared_ptr<const Executable>> Executable::create(std::shared_ptr<const Graph> graph,
                                                             const ExecutableOptions& options) {
  Graph own = clone_graph(*graph);
  std::vector<ValueType> wanted;
  for (const ValueId id : own.inputs) wanted.push_back(own.values[id].type);
  if (options.optimize) LAN_OK(optimize(own, {}));
  LAN_OK(straighten_constants(own));
  auto executable = std::make_shared<GraphExecutable>(std::move(own), std::move(wanted), options);
  LAN_OK(executable->prepare());
  return std::shared_ptr<const Executable>(std::move(executable));
}

}  // namespace lanthorn
