#include "runtime/planner.h"

#include <malloc.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/thread_pool.h"
#include "runtime/buffers.h"
#include "runtime/concrete_graph.h"
#include "runtime/memory_plan.h"
#include "runtime/node_run.h"
#include "tensor/release_pages.h"

namespace lanthorn {

namespace {

/// A node with everything a kernel is asked about.
struct Candidate {
  const Node* node = nullptr;
  std::vector<ValueType> inputs, outputs;
  std::vector<const Tensor*> constants;
  bool shares_pack = true;  // its constants are the graph's own

  KernelQuery query(const PlannerInput& in) const {
    return {*node, inputs, outputs, constants, in.isa, in.options.threads, in.bf16};
  }
};

Candidate describe(const Graph& graph, const ConcreteGraph& concrete, const Node& node) {
  Candidate candidate;
  candidate.node = &node;
  for (const ValueId id : node.inputs) {
    candidate.inputs.push_back(id == kNoValue ? ValueType() : concrete.types[id]);
    candidate.constants.push_back(id == kNoValue ? nullptr : concrete.constants[id]);
    if (candidate.constants.back() && candidate.constants.back() != graph.constant(id)) candidate.shares_pack = false;
  }
  for (const ValueId id : node.outputs) {
    candidate.outputs.push_back(id == kNoValue ? ValueType() : concrete.types[id]);
  }
  return candidate;
}

/// Packing leaves holes of the size of its largest layers, which the allocator would keep.
void give_back_free_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

Shape concrete_shape(const ValueType& type) {
  Shape shape;
  for (const Dim& dim : type.dims) shape.push_back(dim.value());
  return shape;
}

class Planner {
 public:
  explicit Planner(const PlannerInput& input) : in_(input) {}

  Result<std::shared_ptr<const Plan>> run() {
    LAN_TRY(ConcreteGraph concrete, make_concrete(in_.graph, in_.inputs));
    if (!concrete.plannable) return std::shared_ptr<const Plan>();
    concrete_ = std::make_shared<ConcreteGraph>(std::move(concrete));
    choose_kernels();
    LAN_TRY(buffers_, plan_buffers(in_.graph, *concrete_, chosen_, std::min(in_.options.max_bytes, memory_budget())));
    LAN_OK(pack());
    return assemble();
  }

 private:
  void choose_kernels() {
    for (const uint32_t n : concrete_->live_nodes) {
      const Node& node = in_.graph.nodes[n];
      ChosenNode chosen;
      chosen.node = n;
      chosen.op = find_op(node.op, node.domain);
      candidates_.push_back(describe(in_.graph, *concrete_, node));
      const KernelQuery query = candidates_.back().query(in_);
      chosen.kernel = choose_kernel(*chosen.op, query);
      if (chosen.kernel && chosen.kernel->scratch_bytes) chosen.scratch_bytes = chosen.kernel->scratch_bytes(query);
      chosen_.push_back(chosen);
    }
  }

  Result<std::shared_ptr<const void>> pack_one(uint32_t position) const {
    const FastKernel& kernel = *chosen_[position].kernel;
    const KernelQuery query = candidates_[position].query(in_);
    LAN_TRY(auto packed, candidates_[position].shares_pack ? in_.packed.get(kernel, query) : prepare(kernel, query));
    // At once, layer by layer: with the last one all of the file would have been in memory.
    for (size_t i = 0; i < query.constants.size(); ++i) {
      if (query.constants[i] && packs(kernel, i)) release_pages(*query.constants[i]);
    }
    return packed;
  }

  uint64_t packed_bytes(uint32_t position) const {
    uint64_t bytes = 0;
    for (size_t i = 0; i < candidates_[position].constants.size(); ++i) {
      const Tensor* constant = candidates_[position].constants[i];
      if (constant && packs(*chosen_[position].kernel, i)) bytes += constant->byte_size();
    }
    return bytes;
  }

  Status pack() {
    prepared_.resize(chosen_.size());
    std::vector<uint32_t> todo;
    for (const uint32_t position : buffers_.runs) {
      if (chosen_[position].kernel && chosen_[position].kernel->prepare) todo.push_back(position);
    }
    // The largest first: what packing needs beside its result is then freed before most results are there.
    std::stable_sort(todo.begin(), todo.end(), [this](uint32_t a, uint32_t b) { return packed_bytes(a) > packed_bytes(b); });
    std::vector<std::optional<Error>> errors(todo.size());
    const auto pack_range = [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        auto packed = pack_one(todo[i]);
        if (packed) {
          prepared_[todo[i]] = *std::move(packed);
        } else {
          errors[i] = std::move(packed).error();
        }
      }
    };
    if (in_.options.pool) {
      in_.options.pool->parallel_for(todo.size(), 1, in_.options.threads, pack_range);
    } else {
      pack_range(0, todo.size());
    }
    if (!todo.empty()) give_back_free_memory();
    for (size_t i = 0; i < todo.size(); ++i) {
      if (errors[i]) return std::move(*errors[i]).at(node_place(*candidates_[todo[i]].node));
    }
    return ok();
  }

  StepOperand operand(ValueId id, bool packed) const {
    StepOperand operand;
    if (id == kNoValue) return operand;
    operand.dtype = concrete_->types[id].dtype;
    operand.shape = concrete_shape(concrete_->types[id]);
    operand.place = buffers_.places[id];
    if (concrete_->constants[id] && !packed) operand.constant = concrete_->constants[id]->data();
    return operand;
  }

  std::shared_ptr<const Plan> assemble() {
    PlanParts parts;
    for (size_t i = 0; i < buffers_.runs.size(); ++i) {
      const uint32_t position = buffers_.runs[i];
      const ChosenNode& chosen = chosen_[position];
      const Node& node = *candidates_[position].node;
      PlanStep step;
      step.node = &node;
      step.kernel = chosen.kernel ? chosen.kernel->name : "reference";
      step.run = chosen.kernel ? chosen.kernel->run : chosen.op->def->reference;
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        step.inputs.push_back(operand(node.inputs[k], chosen.kernel && packs(*chosen.kernel, k)));
      }
      for (const ValueId id : node.outputs) step.outputs.push_back(operand(id, false));
      step.prepared = prepared_[position];
      step.scratch_offset = buffers_.scratch[i];
      step.scratch_bytes = chosen.scratch_bytes;
      parts.steps.push_back(std::move(step));
    }
    for (const ValueId id : in_.graph.outputs) {
      PlanOutput output;
      if (id != kNoValue) {
        output.dtype = concrete_->types[id].dtype;
        output.shape = concrete_shape(concrete_->types[id]);
        output.place = buffers_.places[id];
        if (concrete_->constants[id]) output.constant = *concrete_->constants[id];
      }
      parts.outputs.push_back(std::move(output));
    }
    parts.output_blocks = std::move(buffers_.output_blocks);
    parts.arena_bytes = buffers_.arena_bytes;
    parts.owned.push_back(concrete_);
    return std::make_shared<const Plan>(std::move(parts));
  }

  const PlannerInput& in_;
  std::shared_ptr<ConcreteGraph> concrete_;
  std::vector<Candidate> candidates_;  // one for each of chosen_
  std::vector<ChosenNode> chosen_;
  BufferPlan buffers_;
  std::vector<std::shared_ptr<const void>> prepared_;
};

}  // namespace

Result<std::shared_ptr<const Plan>> make_plan(const PlannerInput& input) { return Planner(input).run(); }

}  // namespace lanthorn
