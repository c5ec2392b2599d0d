// OPS: ms_attention ms_qattention
// com.microsoft Attention: projection and attention in one, and its form with quantized weights.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include <algorithm>
#include <cmath>

#include "ops/ms_attention_shared.h"
#include "ops/numbers_shared.h"
#include "ops/quantization_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

constexpr uint64_t kBytes = type_bit(DType::kI8) | type_bit(DType::kU8);
constexpr uint64_t kI32 = type_bit(DType::kI32);
constexpr uint64_t kF32 = type_bit(DType::kF32);

// Where the inputs are that the two forms have in common.
struct Places {
  size_t bias, mask, past, extra;  // extra: an additive bias; 0: none
};
constexpr Places kPlain{2, 3, 4, 5};
constexpr Places kQuantized{2, 5, 8, 0};

// The sizes of Q, K and V in one row of the projection.
Result<std::vector<int64_t>> parts(const Attributes& a, int64_t columns) {
  std::vector<int64_t> sizes = a.ints("qkv_hidden_sizes");
  const int64_t heads = a.integer("num_heads", 0);
  if (heads < 1) return attribute_error("num_heads", "it must be positive");
  if (sizes.empty() && columns % 3 == 0) sizes.assign(3, columns / 3);
  int64_t sum = 0;
  for (const int64_t size : sizes) {
    if (size < 1 || size % heads != 0)
      return attribute_error("qkv_hidden_sizes", "a size is no multiple of the heads");
    sum += size;
  }
  if (sizes.size() != 3 || sum != columns || sizes[0] != sizes[1]) {
    return attribute_error("qkv_hidden_sizes",
                           "the sizes do not fit " + std::to_string(columns) + " columns");
  }
  return sizes;
}

Status infer(InferContext& c, const Places& at) {
  LAN_OK(require_rank(c, 0, 3, 3));
  LAN_OK(require_rank(c, 1, 2, 2));
  const DType dtype = at.extra == 0 ? DType::kF32 : c.dtype(0);
  const Dims &x = c.dims(0), &w = c.dims(1);
  if (!may_equal(x[2], w[0]))
    return shape_error("input " + dims_text(x) + " and weights " + dims_text(w));
  if (c.has_input(6) && at.extra != 0) {
    return Error{ErrorCode::kUnsupported, "past_sequence_length is not supported", "", ""};
  }
  if (c.attributes().integer("do_rotary", 0) != 0) {
    return Error{ErrorCode::kUnsupported, "do_rotary is not supported", "", ""};
  }
  if (!w[1].is_known()) {
    c.set_output(0, dtype, Dims{x[0], x[1], Dim::unknown()});
    return ok();
  }
  LAN_TRY(const std::vector<int64_t> sizes, parts(c.attributes(), w[1].value()));
  const Dim heads(c.attributes().integer("num_heads", 1));
  c.set_output(0, dtype, Dims{x[0], x[1], Dim(sizes[2])});
  Dim total = x[1];
  if (c.has_input(at.past)) {
    LAN_OK(require_rank(c, at.past, 5, 5));
    total = total + c.dims(at.past)[3];
  }
  c.set_output(1, dtype, Dims{Dim(2), x[0], heads, total, floor_div(Dim(sizes[0]), heads)});
  return ok();
}

// x [rows, width] times w [width, columns] plus the bias.
std::vector<double> project(const RunContext& c, const std::vector<double>& x,
                            const std::vector<double>& w, const Places& at) {
  const auto width = static_cast<size_t>(c.input(1).shape[0]),
             columns = static_cast<size_t>(c.input(1).shape[1]);
  const size_t rows = width == 0 ? 0 : x.size() / width;
  std::vector<double> y(rows * columns), bias;
  if (c.has_input(at.bias)) bias = read_doubles(c.input(at.bias));
  for (size_t row = 0; row < rows; ++row) {
    double* to = y.data() + row * columns;
    for (size_t i = 0; i < bias.size() && i < columns; ++i) to[i] = bias[i];
    for (size_t k = 0; k < width; ++k) {
      for (size_t i = 0; i < columns; ++i) to[i] += x[row * width + k] * w[k * columns + i];
    }
  }
  return y;
}

Status run(const RunContext& c, const std::vector<double>& x, const std::vector<double>& w,
           const Places& at) {
  const Attributes& a = c.attributes();
  const int64_t batch = c.input(0).shape[0], length = c.input(0).shape[1],
                columns = c.input(1).shape[1];
  LAN_TRY(const std::vector<int64_t> sizes, parts(a, columns));
  const int64_t heads = a.integer("num_heads", 1), head = sizes[0] / heads,
                v_head = sizes[2] / heads;
  const std::vector<double> rows = project(c, x, w, at);
  const Heads q = take_heads(rows, batch, length, columns, 0, head, heads, head);
  Heads k = take_heads(rows, batch, length, columns, sizes[0], head, heads, head);
  Heads v = take_heads(rows, batch, length, columns, sizes[0] + sizes[1], v_head, heads, v_head);
  int64_t past = 0;
  if (c.has_input(at.past)) {
    const TensorView& view = c.input(at.past);
    if (head != v_head || view.shape[0] != 2 || view.shape[1] != batch || view.shape[2] != heads ||
        view.shape[4] != head) {
      return shape_error("past is " + shape_text(view.shape));
    }
    past = view.shape[3];
    const std::vector<double> numbers = read_doubles(view);
    const auto half = static_cast<std::ptrdiff_t>(numbers.size() / 2);
    Heads old_k(batch, heads, past, head), old_v(batch, heads, past, head);
    std::copy(numbers.begin(), numbers.begin() + half, old_k.numbers.begin());
    std::copy(numbers.begin() + half, numbers.end(), old_v.numbers.begin());
    LAN_TRY(k, appended(old_k, k));
    LAN_TRY(v, appended(old_v, v));
  }
  const double hidden = static_cast<double>(a.real("mask_filter_value", -10000.0f));
  std::vector<double> bias(static_cast<size_t>(batch * heads * length * k.length));
  if (c.has_input(at.mask)) LAN_OK(add_padding_mask(c.input(at.mask), q, k.length, hidden, bias));
  if (a.integer("unidirectional", 0) != 0) add_causal_mask(q, k.length, past, -INFINITY, bias);
  if (at.extra != 0 && c.has_input(at.extra))
    LAN_OK(add_attention_bias(c.input(at.extra), q, k.length, bias));
  write_doubles(c.output(0),
                attend(q, k, v, bias, {.scale = static_cast<double>(a.real("scale", 0))}));
  if (c.output(1).present()) {
    std::vector<double> present = std::move(k.numbers);
    present.insert(present.end(), v.numbers.begin(), v.numbers.end());
    if (static_cast<int64_t>(present.size()) != c.output(1).count())
      return shape_error("K and V differ in size");
    write_doubles(c.output(1), present);
  }
  return ok();
}

Status infer_plain(InferContext& c) { return infer(c, kPlain); }
Status infer_quantized(InferContext& c) { return infer(c, kQuantized); }

Status run_plain(const RunContext& c) {
  return run(c, read_doubles(c.input(0)), read_doubles(c.input(1)), kPlain);
}

Status run_quantized(const RunContext& c) {
  LAN_OK(require_single(c, {3}));
  const auto operand = [&](size_t scale, size_t zero) {
    return QuantizedOperand::read(c.input(scale), c.has_input(zero) ? &c.input(zero) : nullptr);
  };
  const std::vector<double> x = dequantized(c.input(0), operand(3, 6));
  const QuantizedOperand by = operand(4, 7);
  std::vector<double> w = read_doubles(c.input(1));
  const auto columns = static_cast<size_t>(c.input(1).shape[1]);
  if ((by.scales.size() != 1 && by.scales.size() != columns) ||
      (by.zeros.size() != 1 && by.zeros.size() != columns)) {
    return shape_error("the scale of the weights does not fit");
  }
  for (size_t i = 0; i < w.size(); ++i) {
    w[i] = (w[i] - static_cast<double>(by.zero(i % columns))) * by.scale(i % columns);
  }
  return run(c, x, w, kQuantized);
}

}  // namespace

extern constinit const OpDef op_ms_attention{
    .name = "Attention",
    .domain = kMicrosoft,
    .inputs = {{"input", kFloats},
               {"weights", kFloats},
               {"bias", kFloats, true},
               {"mask_index", kI32, true},
               {"past", kFloats, true},
               {"attention_bias", kFloats, true},
               {"past_sequence_length", kI32, true}},
    .outputs = {{"output", kFloats}, {"present", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_plain,
    .reference = run_plain,
};

extern constinit const OpDef op_ms_qattention{
    .name = "QAttention",
    .domain = kMicrosoft,
    .inputs = {{"input", kBytes},
               {"weight", kBytes},
               {"bias", kF32},
               {"input_scale", kF32},
               {"weight_scale", kF32},
               {"mask_index", kI32, true},
               {"input_zero_point", kBytes, true},
               {"weight_zero_point", kBytes, true},
               {"past", kF32, true}},
    .outputs = {{"output", kF32}, {"present", kF32, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_quantized,
    .reference = run_quantized,
};

}  // namespace lanthorn
