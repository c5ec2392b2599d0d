#include "runtime/node_run.h"

#include <optional>
#include <string>

#include "base/check.h"
#include "ops/output_memory_shared.h"

namespace lanthorn {

namespace {

Result<Shape> known_shape(const ValueType& type) {
  Shape shape;
  shape.reserve(type.dims.size());
  for (const Dim& dim : type.dims) {
    if (!dim.is_known()) {
      return Error{ErrorCode::kInternal, "the shape rule left a dimension open: " + type_text(type), ""};
    }
    shape.push_back(dim.value());
  }
  return shape;
}

/// Views of the inputs that are tensors, contiguous; `kept` holds the copies that this took. Those
/// that are not computed yet have no data: look_at() comes when it is known who reads them.
Result<std::vector<TensorView>> view_inputs(std::span<const Value> inputs, std::vector<Tensor>& kept) {
  std::vector<TensorView> views(inputs.size());
  kept.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor* tensor = inputs[i].tensor();
    if (!tensor || !tensor->defined()) continue;
    LAN_TRY(Tensor contiguous, tensor->contiguous());
    kept.push_back(std::move(contiguous));
    views[i] = {kept.back().dtype(), kept.back().shape(), kept.back().is_deferred() ? nullptr : kept.back().data()};
  }
  return views;
}

/// Computes the inputs that were not, but for those that `kernel` has packed.
void look_at(std::vector<TensorView>& views, const std::vector<Tensor>& kept, const FastKernel* kernel) {
  for (size_t i = 0, next = 0; i < views.size(); ++i) {
    if (!views[i].present()) continue;
    const Tensor& tensor = kept[next++];
    if (!views[i].data && !(kernel && packs(*kernel, i))) views[i].data = tensor.data();
  }
}

Result<std::vector<Value>> run_on_values(const NodeRun& run, RunContext& context) {
  const std::vector<Value> inputs(run.inputs.begin(), run.inputs.end());
  std::vector<Value> outputs(run.node.outputs.size());
  std::vector<MutableTensorView> absent(outputs.size());
  context.input_values_ = &inputs;
  context.output_values_ = &outputs;
  context.outputs_ = absent;
  LAN_OK(run.op.def->reference(context));
  return outputs;
}

Result<std::vector<Value>> run_on_tensors(const NodeRun& run, RunContext& context, std::vector<TensorView>& inputs,
                                          const std::vector<Tensor>& kept, std::string_view* kernel_name) {
  std::vector<ValueType> types(run.inputs.size());
  std::vector<const Tensor*> at_hand(run.inputs.size(), nullptr);
  for (size_t i = 0, next = 0; i < run.inputs.size(); ++i) {
    types[i] = type_of(run.inputs[i]);
    if (context.has_input(i)) at_hand[i] = &kept[next++];
  }
  const std::vector<std::optional<Dims>> elements(run.inputs.size());
  InferContext inference(run.node, types, at_hand, elements);
  LAN_OK(infer_node(run.op, inference));

  std::vector<Tensor> tensors(run.node.outputs.size());
  std::vector<MutableTensorView> views(run.node.outputs.size());
  uint64_t left = run.options.max_bytes;
  for (size_t i = 0; i < views.size(); ++i) {
    if (run.node.outputs[i] == kNoValue) continue;
    LAN_TRY(Shape shape, known_shape(inference.outputs[i]));
    LAN_TRY(tensors[i], allocate_output(inference.outputs[i].dtype, std::move(shape), left));
    views[i] = {tensors[i].dtype(), tensors[i].shape(), tensors[i].mutable_data()};
  }
  context.outputs_ = views;

  const KernelQuery query{run.node, types, inference.outputs, run.constants, run.isa, run.options.threads, run.bf16};
  const FastKernel* kernel = run.packed ? choose_kernel(run.op, query) : nullptr;
  look_at(inputs, kept, kernel);
  std::shared_ptr<const void> prepared;
  std::vector<std::byte> scratch;
  if (kernel) {
    LAN_TRY(prepared, run.packed->get(*kernel, query));
    context.prepared_ = prepared.get();
    if (kernel->scratch_bytes) {
      const size_t bytes = kernel->scratch_bytes(query);
      scratch.resize(bytes + 64);
      const size_t skew = reinterpret_cast<uintptr_t>(scratch.data()) % 64;
      context.scratch_ = std::span(scratch).subspan(skew == 0 ? 0 : 64 - skew, bytes);
    }
    if (kernel_name) *kernel_name = kernel->name;
    LAN_OK(kernel->run(context));
  } else {
    LAN_OK(run.op.def->reference(context));
  }
  std::vector<Value> outputs(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].defined()) outputs[i] = Value(std::move(tensors[i]));
  }
  return outputs;
}

// Identity passes sequences and optionals, which no kernel can be given memory for.
bool has_other_than_tensors(const NodeRun& run) {
  for (size_t i = 0; i < run.inputs.size(); ++i) {
    if (run.node.inputs[i] != kNoValue && !run.inputs[i].tensor()) return true;
  }
  return false;
}

}  // namespace

std::string node_place(const Node& node) {
  std::string place = "node";
  if (!node.name.empty()) place += " '" + node.name + "'";
  place += " (" + (node.domain.empty() ? node.op : node.domain + "." + node.op) + ")";
  if (!node.source.empty()) place += ", " + node.source;
  return place;
}

Result<std::vector<Value>> run_node(const NodeRun& run, std::string_view* kernel_name) {
  if (kernel_name) *kernel_name = "reference";
  std::vector<Tensor> kept;
  LAN_TRY(std::vector<TensorView> inputs, view_inputs(run.inputs, kept));
  RunContext context;
  context.node_ = &run.node;
  context.inputs_ = inputs;
  context.subgraphs_ = run.subgraphs;
  context.pool_ = run.options.pool;
  context.threads_ = run.options.threads;
  context.memory_left_ = run.options.max_bytes;
  if (run.op.def->values || run.op.def->data_dependent || has_other_than_tensors(run)) {
    look_at(inputs, kept, nullptr);
    return run_on_values(run, context);
  }
  return run_on_tensors(run, context, inputs, kept, kernel_name);
}

}  // namespace lanthorn
