// Attention and RotaryEmbedding in products, sums and a Softmax.
// https://onnx.ai/onnx/operators/onnx__Attention.html

#include <cmath>
#include <limits>

#include "formats/onnx/lower/lowerer.h"
#include "graph/onnx_dtype.h"

namespace lanthorn::onnx {
namespace {

class AttentionParts {
 public:
  explicit AttentionParts(Lowerer& l) : l_(l), a_(l.node.attributes), dtype_(l.dtype(0)) {}

  Status write() {
    const auto rank = l_.rank(0);
    if (!rank || dtype_ == DType::kUndefined) return l_.unsupported("the rank of its input is not known");
    packed_ = *rank == 3;
    const int64_t q_heads = packed_ ? a_.integer("q_num_heads", 0) : known_dim(0, 1);
    const int64_t kv_heads = packed_ ? a_.integer("kv_num_heads", 0) : known_dim(1, 1);
    const int64_t head = packed_ ? (q_heads > 0 ? known_dim(0, 2) / q_heads : 0) : known_dim(0, 3);
    if (q_heads < 1 || kv_heads < 1) return l_.unsupported("its numbers of heads are not known");
    if (!a_.has("scale") && head < 1) return l_.unsupported("the size of its heads is not known");
    if (l_.has_input(6)) return l_.unsupported("nonpad_kv_seqlen, which came with opset 24");
    if (a_.integer("left_window_size", -1) >= 0 || a_.integer("right_window_size", -1) >= 0) {
      return l_.unsupported("windows, which came with opset 25");
    }
    const std::vector<ValueId> out = l_.node.outputs;
    const ValueId q = heads(l_.node.inputs[0], q_heads);
    ValueId k = joined(4, heads(l_.node.inputs[1], kv_heads));
    ValueId v = joined(5, heads(l_.node.inputs[2], kv_heads));
    if (l_.has_output(1)) l_.emit_into({out[1]}, "Identity", {k});
    if (l_.has_output(2)) l_.emit_into({out[2]}, "Identity", {v});
    k = repeated(k, q_heads, kv_heads);
    v = repeated(v, q_heads, kv_heads);
    const double scale = a_.has("scale") ? a_.real("scale", 1) : 1 / std::sqrt(static_cast<double>(head));
    // The square root of the scale on both sides, as the standard's function body has it.
    const ValueId root = l_.number(std::sqrt(scale), dtype_);
    const ValueId turned = l_.emit("Transpose", {l_.emit("Mul", {k, root})}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
    ValueId scores = l_.emit("MatMul", {l_.emit("Mul", {q, root}), turned});
    show(out, 0, scores);
    if (const float cap = a_.real("softcap", 0); cap != 0) {
      const ValueId limit = l_.number(cap, dtype_);
      scores = l_.emit("Mul", {l_.emit("Tanh", {l_.emit("Div", {scores, limit})}), limit});
    }
    show(out, 1, scores);
    LAN_TRY(scores, masked(scores));
    show(out, 2, scores);
    const ValueId weights = weights_of(scores);
    show(out, 3, weights);
    const ValueId y = l_.emit("MatMul", {weights, v});
    if (!l_.has_output(0)) return ok();
    if (!packed_) {
      l_.emit_into({out[0]}, "Identity", {y});
      return ok();
    }
    const ValueId lengths_first = l_.emit("Transpose", {y}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
    l_.emit_into({out[0]}, "Reshape", {lengths_first, l_.ints({0, 0, -1})});
    return ok();
  }

 private:
  int64_t known_dim(size_t input, size_t axis) const {
    const ValueType& type = l_.type(input);
    return type.ranked && axis < type.dims.size() ? type.dims[axis].known().value_or(0) : 0;
  }

  // [batch, length, heads * size] -> [batch, heads, length, size]
  ValueId heads(ValueId x, int64_t count) {
    if (!packed_) return x;
    const ValueId split = l_.emit("Reshape", {x, l_.ints({0, 0, count, -1})});
    return l_.emit("Transpose", {split}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  }

  ValueId joined(size_t past, ValueId now) {
    if (!l_.has_input(past)) return now;
    return l_.emit("Concat", {l_.node.inputs[past], now}, {{"axis", int64_t{2}}});
  }

  // Each head of keys serves several of queries: [b, h, s, e] -> [b, h, 1, s, e] -> [b, h, n, s, e] -> [b, h * n, s, e].
  ValueId repeated(ValueId x, int64_t q_heads, int64_t kv_heads) {
    if (q_heads == kv_heads) return x;
    const int64_t times = q_heads / kv_heads;
    const ValueId apart = l_.emit("Unsqueeze", {x, l_.ints({2})});
    const ValueId copies = l_.emit("Concat", std::vector<ValueId>(static_cast<size_t>(times), apart), {{"axis", int64_t{2}}});
    const ValueId shape = l_.emit("Shape", {x});
    const ValueId batch = l_.emit("Slice", {shape, l_.ints({0}), l_.ints({1}), l_.ints({0})});
    const ValueId rest = l_.emit("Slice", {shape, l_.ints({2}), l_.ints({4}), l_.ints({0})});
    const ValueId target = l_.emit("Concat", {batch, l_.ints({q_heads}), rest}, {{"axis", int64_t{0}}});
    return l_.emit("Reshape", {copies, target});
  }

  void show(const std::vector<ValueId>& out, int64_t mode, ValueId scores) {
    if (l_.has_output(3) && a_.integer("qk_matmul_output_mode", 0) == mode) {
      l_.emit_into({out[3]}, "Identity", {scores});
    }
  }

  ValueId size_of(ValueId value, int64_t axis) {
    const ValueId shape = l_.emit("Shape", {value});
    const ValueId one = l_.emit("Slice", {shape, l_.ints({axis}), l_.ints({axis + 1}), l_.ints({0})});
    return l_.emit("Squeeze", {one, l_.ints({0})});
  }

  // A row that is hidden whole has no weights.
  ValueId weights_of(ValueId scores) {
    const ValueId weights = l_.emit("Softmax", {scores}, {{"axis", int64_t{-1}}});
    if (!l_.has_input(3) && a_.integer("is_causal", 0) == 0) return weights;
    const double lowest = dtype_ == DType::kF16 ? -65504.0 : -3.3e38;
    const ValueId highest = l_.emit("ReduceMax", {scores, l_.ints({3})}, {{"keepdims", int64_t{1}}});
    const ValueId nothing = l_.emit("Less", {highest, l_.number(lowest, dtype_)});
    return l_.emit("Where", {nothing, l_.number(0, dtype_), weights});
  }

  // What hides is -infinity.
  Result<ValueId> masked(ValueId scores) {
    const ValueId hidden = l_.number(-std::numeric_limits<double>::infinity(), dtype_);
    const ValueId seen = l_.number(0, dtype_);
    if (l_.has_input(3)) {
      ValueId mask = l_.node.inputs[3];
      const ValueType& type = l_.type(3);
      // A mask that is too short hides what it does not reach.
      const auto total = l_.type_of(scores).ranked ? l_.type_of(scores).dims.back() : Dim::unknown();
      if (type.ranked && !type.dims.empty() && type.dims.back() != total && type.dims.back().is_known() && total.is_known()) {
        return l_.unsupported("a mask that is shorter than the keys");
      }
      if (l_.dtype(3) == DType::kBool) mask = l_.emit("Where", {mask, seen, hidden});
      scores = l_.emit("Add", {scores, l_.cast(mask, dtype_)});
    }
    if (a_.integer("is_causal", 0) == 0) return scores;
    const ValueId zero = l_.number(0, DType::kI64), one = l_.number(1, DType::kI64);
    ValueId queries = l_.emit("Range", {zero, size_of(scores, 2), one});
    if (l_.has_input(4)) queries = l_.emit("Add", {queries, size_of(l_.node.inputs[4], 2)});
    const ValueId keys = l_.emit("Range", {zero, size_of(scores, 3), one});
    const ValueId ahead = l_.emit("Less", {l_.emit("Unsqueeze", {queries, l_.ints({1})}), l_.emit("Unsqueeze", {keys, l_.ints({0})})});
    return l_.emit("Add", {scores, l_.emit("Where", {ahead, hidden, seen})});
  }

  Lowerer& l_;
  const Attributes& a_;
  const DType dtype_;
  bool packed_ = false;
};

Status attention(Lowerer& l) { return AttentionParts(l).write(); }

// Attention-23 and 24 stay the operator where they say all that is asked.
Status attention_of_its_time(Lowerer& l) {
  const bool lengths = l.has_input(6) && l.opset < 24;
  const bool windows = l.node.attributes.integer("left_window_size", -1) >= 0 ||
                       l.node.attributes.integer("right_window_size", -1) >= 0;
  if (lengths) return l.unsupported("nonpad_kv_seqlen, which came with opset 24");
  if (windows) return l.unsupported("windows, which came with opset 25");
  return ok();
}

// x * cos + rotated(x) * sin, on the first numbers of each head.
Status rotary_embedding(Lowerer& l) {
  const auto rank = l.rank(0);
  const Attributes& a = l.node.attributes;
  const int64_t heads = a.integer("num_heads", 0);
  if (!rank || (*rank == 3 && heads < 1)) return l.unsupported("the rank of its input is not known");
  const bool packed = *rank == 3;
  // [batch, length, heads, size]
  ValueId x = l.node.inputs[0];
  x = packed ? l.emit("Reshape", {x, l.ints({0, 0, heads, -1})})
             : l.emit("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  const int64_t rotated = a.integer("rotary_embedding_dim", 0);
  ValueId rest = kNoValue;
  if (rotated > 0) {
    rest = l.emit("Slice", {x, l.ints({rotated}), l.ints({INT64_MAX}), l.ints({3})});
    x = l.emit("Slice", {x, l.ints({0}), l.ints({rotated}), l.ints({3})});
  }
  const auto table = [&](size_t input) {
    ValueId values = l.node.inputs[input];
    if (l.has_input(3)) values = l.emit("Gather", {values, l.node.inputs[3]}, {{"axis", int64_t{0}}});
    return l.emit("Unsqueeze", {values, l.ints({2})});
  };
  const ValueId cosines = table(1), sines = table(2);
  const bool interleaved = a.integer("interleaved", 0) != 0;
  ValueId real = kNoValue, imaginary = kNoValue;
  if (interleaved) {
    const auto every_second = [&](int64_t from) {
      return l.emit("Slice", {x, l.ints({from}), l.ints({INT64_MAX}), l.ints({3}), l.ints({2})});
    };
    real = every_second(0);
    imaginary = every_second(1);
  } else {
    const auto halves = l.emit_many("Split", {x}, 2, {{"axis", int64_t{3}}, {"num_outputs", int64_t{2}}});
    real = halves[0];
    imaginary = halves[1];
  }
  ValueId turned_real = l.emit("Sub", {l.emit("Mul", {cosines, real}), l.emit("Mul", {sines, imaginary})});
  ValueId turned_imaginary = l.emit("Add", {l.emit("Mul", {sines, real}), l.emit("Mul", {cosines, imaginary})});
  ValueId y = kNoValue;
  if (interleaved) {
    const ValueId shape = l.emit("Shape", {x});
    turned_real = l.emit("Unsqueeze", {turned_real, l.ints({4})});
    turned_imaginary = l.emit("Unsqueeze", {turned_imaginary, l.ints({4})});
    y = l.emit("Reshape", {l.emit("Concat", {turned_real, turned_imaginary}, {{"axis", int64_t{4}}}), shape});
  } else {
    y = l.emit("Concat", {turned_real, turned_imaginary}, {{"axis", int64_t{3}}});
  }
  if (rest != kNoValue) y = l.emit("Concat", {y, rest}, {{"axis", int64_t{3}}});
  if (packed) {
    l.emit_into(l.node.outputs, "Reshape", {y, l.emit("Shape", {l.node.inputs[0]})});
  } else {
    l.emit_into(l.node.outputs, "Transpose", {y}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  }
  return ok();
}

constexpr LoweringRule kRules[] = {
    {"Attention", 25, attention_of_its_time},
    {"Attention", 23, attention},
    {"RotaryEmbedding", 23, rotary_embedding},
};

}  // namespace

std::span<const LoweringRule> attention_lowerings() { return kRules; }

}  // namespace lanthorn::onnx
