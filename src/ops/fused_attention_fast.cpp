// Attention head by head: the scores of a block of rows stay in the cache between the two products.
#include <algorithm>
#include <cstring>

#include "kernels/gemm.h"
#include "ops/fast_shared.h"
#include "ops/fused_attention_shared.h"

namespace lanthorn {
namespace {

// Rows of Q whose scores are held at once.
constexpr size_t kRowBlock = 48;

size_t row_block(size_t rows) { return std::min(rows, kRowBlock); }

struct Sizes {
  size_t batch, heads, rows, columns, depth, value_depth;
  size_t k_nr, v_nr;

  size_t k_floats() const { return (columns + k_nr - 1) / k_nr * k_nr * depth; }
  size_t v_floats() const { return (value_depth + v_nr - 1) / v_nr * v_nr * columns; }
  size_t q_floats() const { return row_block(rows) * depth; }
  size_t score_floats() const { return row_block(rows) * columns; }
  /// Of one thread; every part starts at a multiple of 16 floats.
  size_t slot_floats() const {
    const auto wide = [](size_t n) { return (n + 15) / 16 * 16; };
    return wide(k_floats()) + wide(v_floats()) + wide(q_floats()) + wide(score_floats());
  }
};

Sizes sizes_of(const KernelTable& table, const AttentionOperand& q, const AttentionOperand& k, const AttentionOperand& v) {
  Sizes s{};
  s.batch = static_cast<size_t>(q.sizes[0]);
  s.heads = static_cast<size_t>(q.sizes[1]);
  s.rows = static_cast<size_t>(q.sizes[2]);
  s.depth = static_cast<size_t>(q.sizes[3]);
  s.columns = static_cast<size_t>(k.sizes[2]);
  s.value_depth = static_cast<size_t>(v.sizes[3]);
  s.k_nr = table.gemm->panel_width(s.columns);
  s.v_nr = table.gemm->panel_width(s.value_depth);
  return s;
}

bool applies(const KernelQuery& query) {
  if (!all_float32(query)) return false;
  for (const Dim& dim : query.outputs[0].dims) {
    if (dim.is(0)) return false;
  }
  const auto k = attention_operand(dims_of(query.inputs[1]), attention_order(query.node.attributes, "k_order"));
  const auto q = attention_operand(dims_of(query.inputs[0]), attention_order(query.node.attributes, "q_order"));
  const auto y = attention_operand(dims_of(query.outputs[0]), attention_order(query.node.attributes, "y_order"));
  return k.sizes[2] > 0 && k.sizes[3] > 0 && q.strides[3] == 1 && y.strides[3] == 1;
}

size_t scratch_bytes(const KernelQuery& query) {
  const Attributes& attributes = query.node.attributes;
  const Sizes s = sizes_of(kernels(query.isa),
                           attention_operand(dims_of(query.inputs[0]), attention_order(attributes, "q_order")),
                           attention_operand(dims_of(query.inputs[1]), attention_order(attributes, "k_order")),
                           attention_operand(dims_of(query.inputs[2]), attention_order(attributes, "v_order")));
  const size_t slots = std::min<size_t>(s.batch * s.heads, static_cast<size_t>(std::clamp(query.threads, 1, 64)));
  return slots * s.slot_floats() * sizeof(float);
}

/// Where the mask's rows of one head begin, and how far apart they are (0: one row for all).
struct MaskRows {
  const float* first = nullptr;
  size_t stride = 0;
  bool whole_rows = true;  // false: one number a row
};

MaskRows mask_rows(const RunContext& context, size_t b, size_t h) {
  MaskRows rows;
  if (!context.has_input(3)) return rows;
  const TensorView& mask = context.input(3);
  std::array<int64_t, 4> shape = {1, 1, 1, 1};
  std::copy(mask.shape.begin(), mask.shape.end(), shape.begin() + static_cast<ptrdiff_t>(4 - mask.rank()));
  const size_t matrix = static_cast<size_t>(shape[2] * shape[3]);
  size_t index = 0;
  index += b % static_cast<size_t>(shape[0]) * static_cast<size_t>(shape[1]);
  if (shape[1] != 1) index += h;
  rows.first = floats(mask) + index * matrix;
  rows.stride = shape[2] == 1 ? 0 : static_cast<size_t>(shape[3]);
  rows.whole_rows = shape[3] != 1;
  return rows;
}

class Head {
 public:
  Head(const RunContext& context, const KernelTable& table, const Sizes& sizes)
      : context_(context), table_(table), s_(sizes), scale_(context.attributes().real("scale", 1.0f)) {
    const Attributes& attributes = context.attributes();
    q_ = attention_operand(context.input(0).shape, attention_order(attributes, "q_order"));
    k_ = attention_operand(context.input(1).shape, attention_order(attributes, "k_order"));
    v_ = attention_operand(context.input(2).shape, attention_order(attributes, "v_order"));
    y_ = attention_operand(context.output(0).shape, attention_order(attributes, "y_order"));
  }

  void run(size_t b, size_t h, float* scratch) const {
    const auto wide = [](size_t n) { return (n + 15) / 16 * 16; };
    float* k_packed = scratch;
    float* v_packed = k_packed + wide(s_.k_floats());
    float* q_scaled = v_packed + wide(s_.v_floats());
    float* scores = q_scaled + wide(s_.q_floats());
    const float* k = at(floats(context_.input(1)), k_, b, h);
    const float* v = at(floats(context_.input(2)), v_, b, h);
    table_.gemm->pack(k, static_cast<size_t>(k_.strides[3]), static_cast<size_t>(k_.strides[2]), s_.depth, s_.columns,
                      s_.k_nr, 0, (s_.columns + s_.k_nr - 1) / s_.k_nr, k_packed);
    table_.gemm->pack(v, static_cast<size_t>(v_.strides[2]), static_cast<size_t>(v_.strides[3]), s_.columns,
                      s_.value_depth, s_.v_nr, 0, (s_.value_depth + s_.v_nr - 1) / s_.v_nr, v_packed);
    const MaskRows mask = mask_rows(context_, b, h);
    for (size_t first = 0; first < s_.rows; first += kRowBlock) {
      const size_t rows = std::min(kRowBlock, s_.rows - first);
      scale_rows(b, h, first, rows, q_scaled);
      score(q_scaled, k_packed, mask, first, rows, scores);
      table_.rows->softmax(scores, scores, rows, s_.columns, false);
      GemmArgs out;
      out.a = scores;
      out.lda = s_.columns;
      out.tap_k = s_.columns;
      out.b = v_packed;
      out.nr = s_.v_nr;
      out.n = s_.value_depth;
      out.c = const_cast<float*>(at(floats(context_.output(0)), y_, b, h)) + first * static_cast<size_t>(y_.strides[2]);
      out.ldc = static_cast<size_t>(y_.strides[2]);
      table_.gemm->gemm(out, 0, rows, 0, (s_.value_depth + s_.v_nr - 1) / s_.v_nr);
    }
  }

 private:
  static const float* at(const float* base, const AttentionOperand& operand, size_t b, size_t h) {
    return base + static_cast<size_t>(operand.strides[0]) * b + static_cast<size_t>(operand.strides[1]) * h;
  }

  void scale_rows(size_t b, size_t h, size_t first, size_t rows, float* scaled) const {
    const float* q = at(floats(context_.input(0)), q_, b, h);
    for (size_t i = 0; i < rows; ++i) {
      const float* row = q + (first + i) * static_cast<size_t>(q_.strides[2]);
      table_.elementwise->binary_scalar(Binary::kMul, row, scale_, false, scaled + i * s_.depth, s_.depth);
    }
  }

  void score(const float* q, const float* k_packed, const MaskRows& mask, size_t first, size_t rows, float* scores) const {
    GemmArgs args;
    args.a = q;
    args.lda = s_.depth;
    args.tap_k = s_.depth;
    args.b = k_packed;
    args.nr = s_.k_nr;
    args.n = s_.columns;
    args.c = scores;
    args.ldc = s_.columns;
    if (mask.first && mask.whole_rows) {
      args.epilogue.residual = mask.first + first * mask.stride;
      args.epilogue.residual_stride = mask.stride;
    }
    table_.gemm->gemm(args, 0, rows, 0, (s_.columns + s_.k_nr - 1) / s_.k_nr);
    if (!mask.first || mask.whole_rows) return;
    for (size_t i = 0; i < rows; ++i) {
      const float number = mask.first[(first + i) * mask.stride];
      table_.elementwise->binary_scalar(Binary::kAdd, scores + i * s_.columns, number, false, scores + i * s_.columns,
                                        s_.columns);
    }
  }

  const RunContext& context_;
  const KernelTable& table_;
  const Sizes& s_;
  float scale_;
  AttentionOperand q_, k_, v_, y_;
};

Status run(const RunContext& context) {
  const KernelTable& table = table_of(context);
  const Attributes& attributes = context.attributes();
  const Sizes s = sizes_of(table, attention_operand(context.input(0).shape, attention_order(attributes, "q_order")),
                           attention_operand(context.input(1).shape, attention_order(attributes, "k_order")),
                           attention_operand(context.input(2).shape, attention_order(attributes, "v_order")));
  const Workers workers = workers_of(context);
  const Head head(context, table, s);
  auto* scratch = reinterpret_cast<float*>(context.scratch().data());
  const size_t heads = s.batch * s.heads;
  ScratchSlots slots(static_cast<int>(std::min<size_t>(heads, static_cast<size_t>(workers.count()))));
  workers.run(heads, workers.grain(heads, 1), [&](size_t begin, size_t end) {
    const ScratchSlots::Lease lease(slots);
    for (size_t i = begin; i < end; ++i) {
      head.run(i / s.heads, i % s.heads, scratch + lease.index() * s.slot_floats());
    }
  });
  return ok();
}

constexpr FastKernel kKernels[] = {{.name = "fused_attention/heads",
                                    .applies = applies,
                                    .prepare = prepare_table,
                                    .pack_key = key_of_isa,
                                    .scratch_bytes = scratch_bytes,
                                    .run = run}};

}  // namespace

extern constinit const std::span<const FastKernel> fast_fused_attention = kKernels;

}  // namespace lanthorn
