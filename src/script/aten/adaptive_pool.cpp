// Adaptive pooling: the number of outputs is given, the windows follow from it.
#include <algorithm>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

/// Output i of `outputs` covers [begin, end) of `size` inputs.
struct Span1 {
  int64_t begin, end;
};
Span1 span_of(int64_t i, int64_t outputs, int64_t size) {
  return {i * size / outputs, ((i + 1) * size + outputs - 1) / outputs};
}

struct Adaptive {
  TensorRef input;
  ValueId x = kNoValue;       // with a batch dimension
  bool batched = true;
  std::vector<int64_t> outputs;  // per spatial axis
  Dims sizes;                    // of the input, per spatial axis
  bool whole = false;            // every output size is 1
};

Result<Adaptive> adaptive_of(Emitter& e, const Args& args, size_t rank) {
  Adaptive pool;
  pool.input = args.tensor(0);
  const Dims& dims = pool.input->dims;
  if (dims.size() != rank + 1 && dims.size() != rank + 2) {
    return e.lowering().error(ErrorCode::kInvalidInput, "adaptive pooling over " + std::to_string(rank) +
                                                            " dimensions of a tensor of rank " +
                                                            std::to_string(dims.size()));
  }
  pool.sizes.assign(dims.end() - static_cast<std::ptrdiff_t>(rank), dims.end());
  const Dims wanted = args.ints(1);
  for (size_t i = 0; i < rank; ++i) {
    const Dim& size = wanted.size() == 1 ? wanted[0] : wanted.at(i);
    LAN_TRY(const int64_t output, e.lowering().concrete(size));
    if (output < 0) return e.lowering().error(ErrorCode::kInvalidInput, "a negative output size");
    pool.outputs.push_back(output);
  }
  pool.whole = std::all_of(pool.outputs.begin(), pool.outputs.end(), [](int64_t n) { return n == 1; });
  pool.batched = dims.size() == rank + 2;
  pool.x = e.read(pool.input);
  if (!pool.batched) pool.x = e.unsqueeze(pool.x, {0});
  return pool;
}

ValueId finish(Emitter& e, const Adaptive& pool, ValueId y) {
  return pool.batched ? y : e.squeeze(y, {0});
}

bool divides(const std::vector<int64_t>& sizes, const std::vector<int64_t>& outputs) {
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (outputs[i] == 0 || sizes[i] % outputs[i] != 0 || sizes[i] == 0) return false;
  }
  return true;
}

Attributes even_windows(const std::vector<int64_t>& sizes, const std::vector<int64_t>& outputs) {
  std::vector<int64_t> kernel;
  for (size_t i = 0; i < sizes.size(); ++i) kernel.push_back(sizes[i] / outputs[i]);
  return {{"kernel_shape", kernel}, {"strides", kernel}};
}

/// [outputs, size]: row i averages what output i covers.
ValueId averaging_matrix(Emitter& e, int64_t outputs, int64_t size, DType dtype) {
  std::vector<double> weights(static_cast<size_t>(outputs * size), 0.0);
  for (int64_t i = 0; i < outputs; ++i) {
    const Span1 covered = span_of(i, outputs, size);
    for (int64_t j = covered.begin; j < covered.end; ++j) {
      weights[static_cast<size_t>(i * size + j)] = 1.0 / static_cast<double>(covered.end - covered.begin);
    }
  }
  return e.constant(Tensor::of<double>(DType::kF64, {outputs, size}, weights).cast(dtype));
}

/// Averages along one axis of `x`: matrix [outputs, size] times [.., size, rest].
ValueId average_axis(Emitter& e, ValueId x, size_t axis, int64_t outputs, int64_t size) {
  Dims dims = e.dims(x);
  if (e.failed()) return kNoValue;
  const ValueId matrix = averaging_matrix(e, outputs, size, e.dtype(x));
  if (axis + 2 == dims.size()) return e.op("MatMul", {matrix, x});
  Dims folded(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1);
  folded.push_back(product(std::span(dims).subspan(axis + 1)));
  const ValueId y = e.op("MatMul", {matrix, e.reshape(x, folded)});
  dims[axis] = outputs;
  return e.reshape(y, dims);
}

template <size_t kRank>
Result<Value> adaptive_avg(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const Adaptive pool, adaptive_of(e, args, kRank));
  if (pool.whole) return e.result(finish(e, pool, e.op("GlobalAveragePool", {pool.x})));
  LAN_TRY(const auto sizes, lowering.concrete(pool.sizes));
  if (sizes == pool.outputs) return e.result(finish(e, pool, e.op("Identity", {pool.x})));
  if (divides(sizes, pool.outputs)) {
    return e.result(finish(e, pool, e.op("AveragePool", {pool.x}, even_windows(sizes, pool.outputs))));
  }
  ValueId y = pool.x;
  for (size_t i = 0; i < kRank; ++i) {
    if (sizes[i] != pool.outputs[i]) y = average_axis(e, y, i + 2, pool.outputs[i], sizes[i]);
  }
  return e.result(finish(e, pool, y));
}

/// The largest element of each uneven window, axis by axis.
ValueId max_axis(Emitter& e, ValueId x, int64_t axis, int64_t outputs, int64_t size) {
  std::vector<ValueId> parts;
  for (int64_t i = 0; i < outputs; ++i) {
    const Span1 covered = span_of(i, outputs, size);
    parts.push_back(e.reduce("ReduceMax", e.slice(x, axis, covered.begin, covered.end), {axis}, true));
  }
  return e.concat(std::move(parts), axis);
}

/// Where in its plane the largest element of each window lies.
ValueId max_indices(Emitter& e, const Adaptive& pool, const std::vector<int64_t>& sizes) {
  const size_t rank = sizes.size();
  int64_t cells = 1;
  for (const int64_t n : pool.outputs) cells *= n;
  const Dims lead = e.dims(pool.x);
  if (e.failed()) return kNoValue;
  std::vector<ValueId> found;
  for (int64_t cell = 0; cell < cells; ++cell) {
    ValueId window = pool.x;
    std::vector<Span1> covered(rank);
    int64_t rest = cell, area = 1;
    for (size_t i = rank; i-- > 0;) {
      covered[i] = span_of(rest % pool.outputs[i], pool.outputs[i], sizes[i]);
      rest /= pool.outputs[i];
      area *= covered[i].end - covered[i].begin;
      window = e.slice(window, static_cast<int64_t>(i) + 2, covered[i].begin, covered[i].end);
    }
    ValueId at = e.op("ArgMax", {e.reshape(window, {lead[0], lead[1], Dim(area)})},
                      {{"axis", int64_t{2}}, {"keepdims", int64_t{1}}});
    // From a position in the window to one in the plane.
    ValueId index = e.integer(0, DType::kI64);
    int64_t plane = 1;
    for (size_t i = rank; i-- > 0;) {
      const ValueId width = e.integer(covered[i].end - covered[i].begin, DType::kI64);
      const ValueId place = e.op("Add", {e.op("Mod", {at, width}), e.integer(covered[i].begin, DType::kI64)});
      index = e.op("Add", {index, e.op("Mul", {place, e.integer(plane, DType::kI64)})});
      at = e.op("Div", {at, width});
      plane *= sizes[i];
    }
    found.push_back(index);
  }
  Dims dims = {lead[0], lead[1]};
  for (const int64_t n : pool.outputs) dims.push_back(n);
  return e.reshape(e.concat(std::move(found), 2), dims);
}

template <size_t kRank>
Result<Value> adaptive_max(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(const Adaptive pool, adaptive_of(e, args, kRank));
  LAN_TRY(const auto sizes, lowering.concrete(pool.sizes));
  ValueId y = pool.x, indices = kNoValue;
  if (divides(sizes, pool.outputs)) {
    auto made = e.ops("MaxPool", {pool.x}, 2, even_windows(sizes, pool.outputs));
    y = made[0];
    indices = e.op("Mod", {made[1], e.shape({product(pool.sizes)})});
  } else {
    for (size_t i = 0; i < kRank; ++i) {
      if (sizes[i] != pool.outputs[i]) {
        y = max_axis(e, y, static_cast<int64_t>(i) + 2, pool.outputs[i], sizes[i]);
      }
    }
    indices = max_indices(e, pool, sizes);
  }
  return e.tuple({finish(e, pool, y), finish(e, pool, indices)});
}

constexpr AtenRow kRows[] = {
    {"aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor", adaptive_avg<1>},
    {"aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", adaptive_avg<2>},
    {"aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", adaptive_avg<2>},
    {"aten::adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor", adaptive_avg<3>},
    {"aten::_adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor", adaptive_avg<3>},
    {"aten::adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)", adaptive_max<1>},
    {"aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)", adaptive_max<2>},
    {"aten::adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)", adaptive_max<3>},
};

}  // namespace

extern const std::span<const AtenRow> aten_adaptive_pool = kRows;

}  // namespace lanthorn::script
