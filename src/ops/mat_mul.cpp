// OPS: mat_mul mat_mul_integer
// Products of matrices. https://onnx.ai/onnx/operators/onnx__MatMul.html
// https://onnx.ai/onnx/operators/onnx__MatMulInteger.html

#include "ops/matmul_shared.h"
#include "ops/numbers_shared.h"
#include "tensor/convert.h"

namespace lanthorn {
namespace {

constexpr uint64_t kBytes = type_bit(DType::kI8) | type_bit(DType::kU8);
constexpr uint64_t kWhole =
    type_bit(DType::kI32) | type_bit(DType::kI64) | type_bit(DType::kU32) | type_bit(DType::kU64);

Status infer(InferContext& c) {
  LAN_TRY(Dims y, infer_matmul(c.dims(0), c.dims(1)));
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status infer_integer(InferContext& c) {
  LAN_TRY(Dims y, infer_matmul(c.dims(0), c.dims(1)));
  c.set_output(0, DType::kI32, std::move(y));
  return ok();
}

std::vector<uint64_t> read_bits(const TensorView& view) {
  const std::vector<int64_t> values = read_ints(view);
  return {values.begin(), values.end()};
}

Status reference(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  const MatMulShape shape = matmul_shape(c.input(0).shape, c.input(1).shape);
  const auto count = static_cast<size_t>(y.count());
  if (is_floating(y.dtype)) {
    std::vector<double> sums(count);
    multiply(shape, read_doubles(c.input(0)).data(), read_doubles(c.input(1)).data(), sums.data());
    write_doubles(y, sums);
    return ok();
  }
  std::vector<uint64_t> sums(count);  // integers wrap around
  multiply(shape, read_bits(c.input(0)).data(), read_bits(c.input(1)).data(), sums.data());
  if (count > 0) convert(DType::kU64, sums.data(), y.dtype, y.data, count);
  return ok();
}

// Subtracts the zero point: one number, or one for each row (`axis` 0 from the end: columns).
Status center(std::vector<uint64_t>& values, const TensorView& matrix, const TensorView& zero,
              bool by_row) {
  if (!zero.present() || values.empty()) return ok();
  const std::vector<uint64_t> zeros = read_bits(zero);
  const auto columns = static_cast<size_t>(matrix.shape.back());
  const auto rows = static_cast<size_t>(matrix.rank() > 1 ? matrix.shape[matrix.rank() - 2] : 1);
  const size_t lines = by_row ? rows : columns;
  // A zero point for each matrix of a batch has its axes too: [..., rows, 1] or [..., 1, columns].
  const size_t matrices = values.size() / (rows * columns);
  if (zeros.size() != 1 && zeros.size() != lines && zeros.size() != lines * matrices) {
    return shape_error("a zero point has " + std::to_string(zeros.size()) + " elements for " +
                       std::to_string(lines) + (by_row ? " rows" : " columns"));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t line = by_row ? i / columns % rows : i % columns;
    values[i] -= zeros[(i / (rows * columns) * lines + line) % zeros.size()];
  }
  return ok();
}

Status reference_integer(const RunContext& c) {
  const MutableTensorView& y = c.output(0);
  std::vector<uint64_t> a = read_bits(c.input(0)), b = read_bits(c.input(1));
  if (c.has_input(2)) LAN_OK(center(a, c.input(0), c.input(2), true));
  if (c.has_input(3)) LAN_OK(center(b, c.input(1), c.input(3), false));
  std::vector<uint64_t> sums(static_cast<size_t>(y.count()));
  multiply(matmul_shape(c.input(0).shape, c.input(1).shape), a.data(), b.data(), sums.data());
  if (!sums.empty()) convert(DType::kU64, sums.data(), y.dtype, y.data, sums.size());
  return ok();
}

}  // namespace

extern constinit const OpDef op_mat_mul{
    .name = "MatMul",
    .since = 13,
    .inputs = {{"A", kFloats | kWhole}, {"B", kFloats | kWhole}},
    .outputs = {{"Y", kFloats | kWhole}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

extern constinit const OpDef op_mat_mul_integer{
    .name = "MatMulInteger",
    .since = 10,
    .inputs = {{"A", kBytes},
               {"B", kBytes},
               {"a_zero_point", kBytes, true},
               {"b_zero_point", kBytes, true}},
    .outputs = {{"Y", type_bit(DType::kI32)}},
    .accuracy = Accuracy::kExact,
    .infer = infer_integer,
    .reference = reference_integer,
};

}  // namespace lanthorn
