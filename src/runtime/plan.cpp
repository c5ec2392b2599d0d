#include "runtime/plan.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/checked.h"
#include "runtime/node_run.h"
#include "runtime/step_executor.h"

namespace lanthorn {

namespace {

// Arenas of runs that overlapped are kept up to here; a server has about this many workers.
constexpr size_t kMaxIdleFrames = 8;

struct Free {
  void operator()(std::byte* memory) const { std::free(memory); }
};

/// A pointer in a frame that follows an input or an output block from run to run.
template <class Pointer>
struct Patch {
  Pointer* slot;
  uint32_t index;
  uint64_t offset;
};

}  // namespace

/// The memory of one run, with contexts that already point into it.
struct Plan::Frame {
  std::unique_ptr<std::byte, Free> arena;
  std::vector<TensorView> inputs;
  std::vector<MutableTensorView> outputs;
  std::vector<RunContext> contexts;
  std::vector<Patch<const void*>> reads_input, reads_output;
  std::vector<Patch<void*>> writes_output;
  ThreadPool* pool = nullptr;
  int threads = 0;
};

Plan::Plan(PlanParts parts) : parts_(std::move(parts)) {}
Plan::~Plan() = default;

Result<std::unique_ptr<Plan::Frame>> Plan::take_frame() const {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Frame> frame = std::move(idle_.back());
      idle_.pop_back();
      return frame;
    }
  }
  auto frame = std::make_unique<Frame>();
  const uint64_t bytes = round_up(parts_.arena_bytes + kArenaAlign, kArenaAlign);
  frame->arena.reset(static_cast<std::byte*>(std::aligned_alloc(kArenaAlign, bytes)));
  if (!frame->arena) {
    return Error{ErrorCode::kOutOfMemory, "no memory for " + std::to_string(bytes) + " bytes of intermediate results", ""};
  }
  size_t input_count = 0, output_count = 0;
  for (const PlanStep& step : parts_.steps) {
    input_count += step.inputs.size();
    output_count += step.outputs.size();
  }
  frame->inputs.reserve(input_count);
  frame->outputs.reserve(output_count);
  frame->contexts.resize(parts_.steps.size());
  std::byte* const arena = frame->arena.get();
  for (size_t i = 0; i < parts_.steps.size(); ++i) {
    const PlanStep& step = parts_.steps[i];
    const size_t first_input = frame->inputs.size(), first_output = frame->outputs.size();
    for (const StepOperand& operand : step.inputs) {
      TensorView& view = frame->inputs.emplace_back(TensorView{operand.dtype, operand.shape, operand.constant});
      const Place& place = operand.place;
      if (place.kind == Place::Kind::kArena) view.data = arena + place.offset;
      if (place.kind == Place::Kind::kInput) frame->reads_input.push_back({&view.data, place.index, place.offset});
      if (place.kind == Place::Kind::kOutput) frame->reads_output.push_back({&view.data, place.index, place.offset});
    }
    for (const StepOperand& operand : step.outputs) {
      MutableTensorView& view = frame->outputs.emplace_back(MutableTensorView{operand.dtype, operand.shape, nullptr});
      const Place& place = operand.place;
      if (place.kind == Place::Kind::kArena) view.data = arena + place.offset;
      if (place.kind == Place::Kind::kOutput) frame->writes_output.push_back({&view.data, place.index, place.offset});
    }
    RunContext& context = frame->contexts[i];
    context.node_ = step.node;
    context.inputs_ = std::span(frame->inputs).subspan(first_input);
    context.outputs_ = std::span(frame->outputs).subspan(first_output);
    context.prepared_ = step.prepared.get();
    context.scratch_ = {arena + step.scratch_offset, step.scratch_bytes};
  }
  return frame;
}

void Plan::give_back(std::unique_ptr<Frame> frame) const {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdleFrames) idle_.push_back(std::move(frame));
}

Status Plan::run_steps(Frame& frame, std::vector<StepTime>* times) const {
  for (size_t i = 0; i < parts_.steps.size(); ++i) {
    const PlanStep& step = parts_.steps[i];
    const auto start = times ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
    Status status = step.run(frame.contexts[i]);
    if (!status) return std::move(status).error().at(node_place(*step.node));
    if (!times) continue;
    const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
    std::string shapes;
    for (const StepOperand& operand : step.inputs) {
      shapes += (shapes.empty() ? "" : " ") + (operand.dtype == DType::kUndefined ? "-" : shape_text(operand.shape));
    }
    times->push_back({step.node->name, op_text(*step.node), std::string(step.kernel), std::move(shapes), spent.count()});
  }
  return ok();
}

Result<std::vector<Value>> Plan::run(std::span<const Value> inputs, const RunOptions& options,
                                     std::vector<StepTime>* times) const {
  std::vector<Tensor> straight(inputs.size());  // in C order and aligned: copies of those that are not
  std::vector<const std::byte*> sources(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    LAN_TRY(straight[i], inputs[i].tensor()->contiguous());
    sources[i] = straight[i].data();
  }
  std::vector<std::shared_ptr<Storage>> blocks(parts_.output_blocks.size());
  for (size_t i = 0; i < blocks.size(); ++i) {
    LAN_TRY(blocks[i], Storage::allocate(parts_.output_blocks[i]));
  }
  LAN_TRY(std::unique_ptr<Frame> frame, take_frame());
  for (const auto& patch : frame->reads_input) *patch.slot = sources[patch.index] + patch.offset;
  for (const auto& patch : frame->reads_output) {
    *patch.slot = blocks[patch.index]->mutable_bytes().data() + patch.offset;
  }
  for (const auto& patch : frame->writes_output) {
    *patch.slot = blocks[patch.index]->mutable_bytes().data() + patch.offset;
  }
  if (frame->pool != options.pool || frame->threads != options.threads) {
    frame->pool = options.pool;
    frame->threads = options.threads;
    for (RunContext& context : frame->contexts) {
      context.pool_ = options.pool;
      context.threads_ = options.threads;
    }
  }
  LAN_OK(run_steps(*frame, times));

  std::vector<Value> outputs;
  outputs.reserve(parts_.outputs.size());
  for (const PlanOutput& output : parts_.outputs) {
    switch (output.place.kind) {
      case Place::Kind::kNone: outputs.emplace_back(); break;
      case Place::Kind::kConstant: outputs.emplace_back(output.constant); break;
      case Place::Kind::kOutput: {
        LAN_TRY(Tensor tensor, Tensor::view(output.dtype, output.shape, contiguous_strides(output.shape),
                                            output.place.offset, blocks[output.place.index]));
        outputs.emplace_back(std::move(tensor));
        break;
      }
      case Place::Kind::kInput:
      case Place::Kind::kArena: {
        LAN_TRY(Tensor tensor, Tensor::allocate(output.dtype, output.shape));
        const std::byte* base =
            output.place.kind == Place::Kind::kInput ? sources[output.place.index] : frame->arena.get();
        if (tensor.byte_size() > 0) std::memcpy(tensor.mutable_data(), base + output.place.offset, tensor.byte_size());
        outputs.emplace_back(std::move(tensor));
        break;
      }
    }
  }
  give_back(std::move(frame));
  return outputs;
}

}  // namespace lanthorn
