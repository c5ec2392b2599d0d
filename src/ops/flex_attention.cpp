// FlexAttention: attention whose scores and probabilities subgraphs may change.
// https://onnx.ai/onnx/operators/onnx_aionnxpreview_FlexAttention.html

#include <algorithm>
#include <cmath>

#include "graph/onnx_dtype.h"
#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

// The type that scores and probabilities have.
Result<DType> precision(const Attributes& attributes, DType input) {
  if (!attributes.has("softmax_precision")) {
    return input == DType::kF64 ? DType::kF64 : DType::kF32;
  }
  const DType dtype = dtype_from_onnx(attributes.integer("softmax_precision", 1));
  if ((type_bit(dtype) & kFloats) != 0) return dtype;
  return attribute_error("softmax_precision", "it must be a floating-point type");
}

Status infer_modifier(InferContext& c, std::string_view name, const ValueType& type) {
  if (!c.attributes().has(name)) return ok();
  LAN_TRY(const std::vector<ValueType> made, c.infer_subgraph(name, {type}));
  if (made.size() == 1) return ok();
  return attribute_error(name, "the graph has " + std::to_string(made.size()) + " outputs, not 1");
}

Status infer(InferContext& c) {
  c.set_output(0, ValueType::unranked(c.dtype(0)));
  for (size_t i = 0; i < 3; ++i) {
    if (!c.input(i).ranked) return ok();
    LAN_OK(require_rank(c, i, 4, 4));
  }
  LAN_OK(require_same_dtype(c, 0, 3));
  const Dims &q = c.dims(0), &k = c.dims(1), &v = c.dims(2);
  const bool fits = may_equal(q[0], k[0]) && may_equal(k[0], v[0]) && may_equal(k[1], v[1]) &&
                    may_equal(k[2], v[2]) && may_equal(q[3], k[3]);
  if (!fits) {
    return shape_error("Q " + dims_text(q) + ", K " + dims_text(k) + ", V " + dims_text(v));
  }
  if (q[1].is_known() && k[1].is_known() && (k[1].is(0) || q[1].value() % k[1].value() != 0)) {
    return shape_error("the heads of Q are no multiple of those of K");
  }
  LAN_TRY(const DType dtype, precision(c.attributes(), c.dtype(0)));
  const ValueType scores = ValueType::tensor(dtype, Dims{q[0], q[1], q[2], k[2]});
  LAN_OK(infer_modifier(c, "score_mod", scores));
  LAN_OK(infer_modifier(c, "prob_mod", scores));
  c.set_output(0, c.dtype(0), Dims{q[0], q[1], q[2], v[3]});
  return ok();
}

Result<Tensor> modified(const RunContext& c, std::string_view name, Tensor scores) {
  if (!c.attributes().has(name)) return scores;
  const Shape shape = scores.shape();
  const DType dtype = scores.dtype();
  LAN_TRY(std::vector<Value> made, c.subgraphs()->run(name, {Value(std::move(scores))}));
  const Tensor* tensor = made.size() == 1 ? made[0].tensor() : nullptr;
  if (!tensor || tensor->shape() != shape || tensor->dtype() != dtype) {
    return attribute_error(name, "the graph changes the type of what it gets");
  }
  return tensor->contiguous();
}

TensorView view(const Tensor& tensor) { return {tensor.dtype(), tensor.shape(), tensor.data()}; }

Result<Tensor> stored(DType dtype, Shape shape, const std::vector<double>& numbers) {
  LAN_TRY(Tensor tensor, Tensor::allocate(dtype, std::move(shape)));
  write_doubles({dtype, tensor.shape(), tensor.mutable_data()}, numbers);
  return tensor;
}

Status reference(const RunContext& c) {
  const TensorView &q_view = c.input(0), &k_view = c.input(1), &v_view = c.input(2);
  for (size_t i = 0; i < 3; ++i) {
    if (c.input(i).rank() != 4) return shape_error("Q, K and V have four dimensions");
  }
  const int64_t batches = q_view.shape[0], heads = q_view.shape[1], queries = q_view.shape[2],
                size = q_view.shape[3];
  const int64_t kv_heads = k_view.shape[1], keys = k_view.shape[2], values = v_view.shape[3];
  const bool fits = k_view.shape[0] == batches && v_view.shape[0] == batches &&
                    v_view.shape[1] == kv_heads && v_view.shape[2] == keys &&
                    k_view.shape[3] == size && kv_heads > 0 && heads % kv_heads == 0;
  if (!fits) return shape_error("Q, K and V do not fit");
  const std::vector<double> q = read_doubles(q_view), k = read_doubles(k_view),
                            v = read_doubles(v_view);
  const double usual = 1 / std::sqrt(static_cast<double>(size));
  const double scale = c.attributes().has("scale") ? c.attributes().real("scale", 1) : usual;
  LAN_TRY(const DType dtype, precision(c.attributes(), q_view.dtype));
  std::vector<double> scores(static_cast<size_t>(batches * heads * queries * keys));
  // The row of K and V that row `row` of Q [batches * heads, queries] attends to.
  const auto group = [&](int64_t row) {
    const int64_t head = row / queries;
    return head / heads * kv_heads + head % heads / (heads / kv_heads);
  };
  for (int64_t row = 0; row < batches * heads * queries; ++row) {
    for (int64_t key = 0; key < keys; ++key) {
      const double* left = q.data() + row * size;
      const double* right = k.data() + (group(row) * keys + key) * size;
      double sum = 0;
      for (int64_t i = 0; i < size; ++i) sum += left[i] * right[i];
      scores[static_cast<size_t>(row * keys + key)] = sum * scale;
    }
  }
  const Shape shape{batches, heads, queries, keys};
  LAN_TRY(Tensor tensor, stored(dtype, shape, scores));
  LAN_TRY(tensor, modified(c, "score_mod", std::move(tensor)));
  scores = read_doubles(view(tensor));
  for (size_t begin = 0; begin < scores.size(); begin += static_cast<size_t>(keys)) {
    const std::span<double> row(scores.data() + begin, static_cast<size_t>(keys));
    double largest = -INFINITY, sum = 0;
    for (const double score : row) largest = std::max(largest, score);
    for (double& score : row) sum += score = std::exp(score - largest);
    for (double& score : row) score /= sum;
  }
  LAN_TRY(tensor, stored(dtype, shape, scores));
  LAN_TRY(tensor, modified(c, "prob_mod", std::move(tensor)));
  scores = read_doubles(view(tensor));
  std::vector<double> y(static_cast<size_t>(batches * heads * queries * values));
  for (int64_t row = 0; row < batches * heads * queries; ++row) {
    for (int64_t key = 0; key < keys; ++key) {
      const double weight = scores[static_cast<size_t>(row * keys + key)];
      const double* from = v.data() + (group(row) * keys + key) * values;
      for (int64_t i = 0; i < values; ++i)
        y[static_cast<size_t>(row * values + i)] += weight * from[i];
    }
  }
  LAN_TRY(Tensor out, stored(q_view.dtype, {batches, heads, queries, values}, y));
  c.set_output_value(0, std::move(out));
  return ok();
}

}  // namespace

extern constinit const OpDef op_flex_attention{
    .name = "FlexAttention",
    .domain = "ai.onnx.preview",
    .inputs = {{"Q", kFloats}, {"K", kFloats}, {"V", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
    .values = true,
};

}  // namespace lanthorn
