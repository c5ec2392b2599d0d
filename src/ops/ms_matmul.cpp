// OPS: ms_fused_mat_mul ms_dynamic_quantize_mat_mul ms_mat_mul_integer_to_float ms_mat_mul_nbits
// The products of ONNX Runtime's optimizer and quantizer.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include <algorithm>
#include <cmath>

#include "ops/matmul_shared.h"
#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"

namespace lanthorn {
namespace {

constexpr uint64_t kBytes = type_bit(DType::kI8) | type_bit(DType::kU8);
constexpr uint64_t kF32 = type_bit(DType::kF32);

// ---- FusedMatMul: alpha * A' * B'

template <class T>
std::vector<T> swapped_ends(std::vector<T> shape, bool swap) {
  if (swap && shape.size() > 1) std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  return shape;
}

Status infer_fused(InferContext& c) {
  const Attributes& a = c.attributes();
  if (a.integer("transBatchA", 0) != 0 || a.integer("transBatchB", 0) != 0) {
    return Error{ErrorCode::kUnsupported, "transposed batches are not supported",
                 "attribute 'transBatchA'", ""};
  }
  LAN_TRY(Dims y, infer_matmul(swapped_ends(c.dims(0), a.integer("transA", 0) != 0),
                               swapped_ends(c.dims(1), a.integer("transB", 0) != 0)));
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

std::vector<double> transposed(const TensorView& view, bool swap) {
  std::vector<double> x = read_doubles(view);
  if (!swap || view.rank() < 2 || x.empty()) return x;
  const auto rows = static_cast<size_t>(view.shape[view.rank() - 2]);
  const auto columns = static_cast<size_t>(view.shape.back());
  std::vector<double> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t matrix = i / (rows * columns) * (rows * columns);
    y[matrix + i % columns * rows + i / columns % rows] = x[i];
  }
  return y;
}

Status fused(const RunContext& c) {
  const bool swap_a = c.attributes().integer("transA", 0) != 0;
  const bool swap_b = c.attributes().integer("transB", 0) != 0;
  const Shape a(c.input(0).shape.begin(), c.input(0).shape.end());
  const Shape b(c.input(1).shape.begin(), c.input(1).shape.end());
  std::vector<double> y(static_cast<size_t>(c.output(0).count()));
  multiply(matmul_shape(swapped_ends(a, swap_a), swapped_ends(b, swap_b)),
           transposed(c.input(0), swap_a).data(), transposed(c.input(1), swap_b).data(), y.data());
  const double alpha = c.attributes().real("alpha", 1);
  for (double& value : y) value *= alpha;
  write_doubles(c.output(0), y);
  return ok();
}

// ---- products of 8-bit matrices with a float result

// B less its zero point, which is one number or one a column.
Result<std::vector<double>> centered_columns(const TensorView& b, const TensorView* zero) {
  std::vector<double> values = read_doubles(b);
  if (!zero || values.empty()) return values;
  const std::vector<double> zeros = read_doubles(*zero);
  const auto columns = static_cast<size_t>(b.shape.back());
  if (zeros.size() != 1 && zeros.size() != columns)
    return shape_error("a zero point does not fit B");
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] -= zeros[zeros.size() == 1 ? 0 : i % columns];
  }
  return values;
}

// y = a_scale * b_scale * y + bias, where b_scale and bias are one number or one a column.
Status finish(const RunContext& c, std::vector<double>& y, double a_scale,
              const TensorView& b_scale, const TensorView* bias) {
  const std::vector<double> scales = read_doubles(b_scale);
  const std::vector<double> adds = bias ? read_doubles(*bias) : std::vector<double>{0.0};
  const auto columns = static_cast<size_t>(c.output(0).rank() > 0 ? c.output(0).shape.back() : 1);
  for (const size_t count : {scales.size(), adds.size()}) {
    if (count != 1 && count != columns)
      return shape_error("a scale or bias does not fit the columns");
  }
  for (size_t i = 0; i < y.size(); ++i) {
    y[i] = y[i] * a_scale * scales[scales.size() == 1 ? 0 : i % columns] +
           adds[adds.size() == 1 ? 0 : i % columns];
  }
  write_doubles(c.output(0), y);
  return ok();
}

Status infer_float_result(InferContext& c) {
  LAN_TRY(Dims y, infer_matmul(c.dims(0), c.dims(1)));
  c.set_output(0, DType::kF32, std::move(y));
  return ok();
}

// Inputs: A, B, b_scale, b_zero_point, bias. A is quantized to uint8 by its own range.
Status dynamic_quantize(const RunContext& c) {
  std::vector<double> a = read_doubles(c.input(0));
  double low = 0, high = 0;
  for (const double value : a) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  const float scale = high == low ? 1.0f : static_cast<float>(high - low) / 255.0f;
  const auto zero = static_cast<int64_t>(
      std::nearbyint(std::clamp(-static_cast<float>(low) / scale, 0.0f, 255.0f)));
  for (double& value : a) {
    value =
        static_cast<double>(quantized(static_cast<float>(value) / scale, zero, {0, 255}) - zero);
  }
  LAN_TRY(const std::vector<double> b,
          centered_columns(c.input(1), c.has_input(3) ? &c.input(3) : nullptr));
  std::vector<double> y(static_cast<size_t>(c.output(0).count()));
  multiply(matmul_shape(c.input(0).shape, c.input(1).shape), a.data(), b.data(), y.data());
  return finish(c, y, scale, c.input(2), c.has_input(4) ? &c.input(4) : nullptr);
}

// Inputs: A, B, a_scale, b_scale, a_zero_point, b_zero_point, bias.
Status integer_to_float(const RunContext& c) {
  LAN_OK(require_single(c, {2, 4}));
  std::vector<double> a = read_doubles(c.input(0));
  const double zero = c.has_input(4) ? read_doubles(c.input(4))[0] : 0;
  for (double& value : a) value -= zero;
  LAN_TRY(const std::vector<double> b,
          centered_columns(c.input(1), c.has_input(5) ? &c.input(5) : nullptr));
  std::vector<double> y(static_cast<size_t>(c.output(0).count()));
  multiply(matmul_shape(c.input(0).shape, c.input(1).shape), a.data(), b.data(), y.data());
  return finish(c, y, read_doubles(c.input(2))[0], c.input(3),
                c.has_input(6) ? &c.input(6) : nullptr);
}

// ---- MatMulNBits: A * B', where B is [N, K] in packed blocks

struct Packed {
  int64_t n = 0, k = 0, bits = 4, block = 32, blocks = 0, blob = 0;

  static Result<Packed> of(const Attributes& a) {
    Packed p{a.integer("N", 0), a.integer("K", 0), a.integer("bits", 4),
             a.integer("block_size", 32)};
    constexpr int64_t kLargest = int64_t{1} << 31;
    if (p.n < 1 || p.k < 1 || p.n > kLargest || p.k > kLargest) {
      return attribute_error("N", "N and K must be positive");
    }
    if (p.bits != 2 && p.bits != 4 && p.bits != 8)
      return attribute_error("bits", "it must be 2, 4 or 8");
    if (p.block < 16 || (p.block & (p.block - 1)) != 0 || p.block > kLargest) {
      return attribute_error("block_size", "it must be a power of two, at least 16");
    }
    p.blocks = (p.k + p.block - 1) / p.block;
    p.blob = p.block * p.bits / 8;
    return p;
  }
};

Status infer_bits(InferContext& c) {
  LAN_TRY(const Packed p, Packed::of(c.attributes()));
  const Dims& a = c.dims(0);
  if (a.empty() || !may_equal(a.back(), p.k)) {
    return shape_error("A " + dims_text(a) + " does not have K = " + std::to_string(p.k) +
                       " columns");
  }
  if (c.has_input(4) || c.input_count() > 6) {
    return Error{ErrorCode::kUnsupported, "g_idx is not supported", "", ""};
  }
  const Dim bytes = product(c.dims(1));
  if (!may_equal(bytes, p.n * p.blocks * p.blob)) {
    return shape_error("B " + dims_text(c.dims(1)) + " does not hold N * K numbers of " +
                       std::to_string(p.bits) + " bits");
  }
  if (!may_equal(product(c.dims(2)), p.n * p.blocks)) return shape_error("scales does not fit");
  Dims y = a;
  y.back() = Dim(p.n);
  c.set_output(0, c.dtype(0), std::move(y));
  return ok();
}

Status bits(const RunContext& c) {
  LAN_TRY(const Packed p, Packed::of(c.attributes()));
  const auto bytes = c.input(1).as<uint8_t>();
  const std::vector<double> scales = read_doubles(c.input(2));
  const auto unpack = [&](std::span<const uint8_t> row, int64_t i) {
    const int64_t bit = i * p.bits;
    return static_cast<double>(row[static_cast<size_t>(bit / 8)] >> (bit % 8) &
                               ((1 << p.bits) - 1));
  };
  std::vector<double> zeros;
  const int64_t zero_row = (p.blocks * p.bits + 7) / 8;
  if (c.has_input(3)) {
    const bool packed = c.input(3).dtype == DType::kU8;
    if (c.input(3).count() != p.n * (packed ? zero_row : p.blocks)) {
      return shape_error("zero_points does not fit");
    }
    if (packed) {
      const auto rows = c.input(3).as<uint8_t>();
      for (int64_t i = 0; i < p.n * p.blocks; ++i) {
        zeros.push_back(
            unpack(rows.subspan(static_cast<size_t>(i / p.blocks * zero_row)), i % p.blocks));
      }
    } else {
      zeros = read_doubles(c.input(3));
    }
  }
  std::vector<double> b(static_cast<size_t>(p.k * p.n));  // [K, N]
  for (int64_t n = 0; n < p.n; ++n) {
    for (int64_t k = 0; k < p.k; ++k) {
      const auto block = static_cast<size_t>(n * p.blocks + k / p.block);
      const double zero = zeros.empty() ? static_cast<double>(1 << (p.bits - 1)) : zeros[block];
      const double value = unpack(bytes.subspan(block * static_cast<size_t>(p.blob)), k % p.block);
      b[static_cast<size_t>(k * p.n + n)] = (value - zero) * scales[block];
    }
  }
  const Shape b_shape{p.k, p.n};
  std::vector<double> y(static_cast<size_t>(c.output(0).count()));
  multiply(matmul_shape(c.input(0).shape, b_shape), read_doubles(c.input(0)).data(), b.data(),
           y.data());
  if (c.has_input(5)) {
    const std::vector<double> bias = read_doubles(c.input(5));
    if (bias.size() != static_cast<size_t>(p.n)) return shape_error("bias does not fit N");
    for (size_t i = 0; i < y.size(); ++i) y[i] += bias[i % bias.size()];
  }
  write_doubles(c.output(0), y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_ms_fused_mat_mul{
    .name = "FusedMatMul",
    .domain = "com.microsoft",
    .inputs = {{"A", kFloats}, {"B", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_fused,
    .reference = fused,
};

extern constinit const OpDef op_ms_dynamic_quantize_mat_mul{
    .name = "DynamicQuantizeMatMul",
    .domain = "com.microsoft",
    .inputs = {{"A", kF32},
               {"B", kBytes},
               {"b_scale", kF32},
               {"b_zero_point", kBytes, true},
               {"bias", kF32, true}},
    .outputs = {{"Y", kF32}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_float_result,
    .reference = dynamic_quantize,
};

extern constinit const OpDef op_ms_mat_mul_integer_to_float{
    .name = "MatMulIntegerToFloat",
    .domain = "com.microsoft",
    .inputs = {{"A", kBytes},
               {"B", kBytes},
               {"a_scale", kF32},
               {"b_scale", kF32},
               {"a_zero_point", kBytes, true},
               {"b_zero_point", kBytes, true},
               {"bias", kF32, true}},
    .outputs = {{"Y", kF32}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_float_result,
    .reference = integer_to_float,
};

extern constinit const OpDef op_ms_mat_mul_nbits{
    .name = "MatMulNBits",
    .domain = "com.microsoft",
    .inputs = {{"A", kFloats},
               {"B", type_bit(DType::kU8)},
               {"scales", kFloats},
               {"zero_points", kFloats | type_bit(DType::kU8), true},
               {"g_idx", kAnyType, true},
               {"bias", kFloats, true}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_bits,
    .reference = bits,
};

}  // namespace lanthorn
