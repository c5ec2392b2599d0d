// Gemm: Y = alpha * A' * B' + beta * C. https://onnx.ai/onnx/operators/onnx__Gemm.html

#include "ops/gemm_shared.h"
#include "ops/numbers_shared.h"
#include "tensor/convert.h"

namespace lanthorn {
namespace {

constexpr uint64_t kTypes = kFloats | type_bit(DType::kI32) | type_bit(DType::kI64) |
                            type_bit(DType::kU32) | type_bit(DType::kU64);

Status infer(InferContext& c) {
  LAN_TRY(Dims y, infer_gemm(c.attributes(), c.dims(0), c.dims(1)));
  if (c.has_input(2)) {
    const Dims& bias = c.dims(2);
    bool fits = bias.size() <= 2;
    for (size_t i = 0; fits && i < bias.size(); ++i) {
      fits = bias[i].is(1) || may_equal(bias[i], y[2 - bias.size() + i]);
    }
    if (!fits) return shape_error("C " + dims_text(bias) + " does not fit " + dims_text(y));
  }
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

// Where element (i, j) of the result finds its C.
size_t bias_position(const TensorView& bias, size_t i, size_t j) {
  const size_t rank = bias.rank();
  const size_t column = rank > 0 && bias.shape[rank - 1] != 1 ? j : 0;
  if (rank < 2 || bias.shape[0] == 1) return column;
  return i * static_cast<size_t>(bias.shape[1]) + column;
}

Status whole_numbers(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  const bool trans_a = c.attributes().integer("transA", 0) != 0;
  const bool trans_b = c.attributes().integer("transB", 0) != 0;
  const std::vector<int64_t> a = read_ints(c.input(0)), b = read_ints(c.input(1));
  const auto rows = static_cast<size_t>(y.shape[0]), columns = static_cast<size_t>(y.shape[1]);
  const auto depth = static_cast<size_t>(c.input(0).shape[!trans_a]);
  const double alpha = c.attributes().real("alpha", 1), beta = c.attributes().real("beta", 1);
  std::vector<uint64_t> sums(rows * columns);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      uint64_t sum = 0;
      for (size_t k = 0; k < depth; ++k) {
        sum += static_cast<uint64_t>(a[trans_a ? k * rows + i : i * depth + k]) *
               static_cast<uint64_t>(b[trans_b ? j * depth + k : k * columns + j]);
      }
      if (alpha != 1) {
        const double scaled = alpha * static_cast<double>(static_cast<int64_t>(sum));
        convert(DType::kF64, &scaled, DType::kI64, &sum, 1);
      }
      sums[i * columns + j] = sum;
    }
  }
  if (c.has_input(2) && beta != 0) {
    const std::vector<int64_t> bias = read_ints(c.input(2));
    for (size_t i = 0; i < sums.size(); ++i) {
      int64_t add = bias[bias_position(c.input(2), i / columns, i % columns)];
      if (beta != 1) {
        const double scaled = beta * static_cast<double>(add);
        convert(DType::kF64, &scaled, DType::kI64, &add, 1);
      }
      sums[i] += static_cast<uint64_t>(add);
    }
  }
  if (!sums.empty()) convert(DType::kU64, sums.data(), y.dtype, y.data, sums.size());
  return ok();
}

Status reference(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  if (!is_floating(y.dtype)) return whole_numbers(c);
  std::vector<double> sums = gemm_product(c.attributes(), c.input(0), read_doubles(c.input(0)),
                                          c.input(1), read_doubles(c.input(1)));
  const double beta = c.attributes().real("beta", 1);
  if (c.has_input(2) && beta != 0 && !sums.empty()) {
    const std::vector<double> bias = read_doubles(c.input(2));
    const auto columns = static_cast<size_t>(y.shape[1]);
    for (size_t i = 0; i < sums.size(); ++i) {
      sums[i] += beta * bias[bias_position(c.input(2), i / columns, i % columns)];
    }
  }
  write_doubles(y, sums);
  return ok();
}

}  // namespace

extern constinit const OpDef op_gemm{
    .name = "Gemm",
    .since = 13,
    .inputs = {{"A", kTypes}, {"B", kTypes}, {"C", kTypes, true}},
    .outputs = {{"Y", kTypes}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
