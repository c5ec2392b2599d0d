// OPS: rotary_embedding ms_rotary_embedding
// RotaryEmbedding: rotates pairs of numbers by angles that depend on the position.
// https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html, and the older one of com.microsoft,
// whose inputs come in another order and whose position may be one for all.

#include <algorithm>

#include "ops/attention_shared.h"
#include "ops/numbers_shared.h"

namespace lanthorn {
namespace {

struct Places {
  size_t cosines = 1, sines = 2, positions = 3;
};
constexpr Places kMicrosoft{2, 3, 1};

Status infer(InferContext& c) {
  const Dims& x = c.dims(0);
  if (x.size() != 3 && x.size() != 4) return shape_error("X must have three or four dimensions");
  if (x.size() == 3 && c.attributes().integer("num_heads", 0) < 1) {
    return attribute_error("num_heads", "three dimensions need it");
  }
  const size_t cache_rank = c.has_input(3) ? 2 : 3;
  if (c.dims(1).size() != cache_rank || c.dims(2).size() != cache_rank) {
    return shape_error("cos_cache and sin_cache must have " + std::to_string(cache_rank) +
                       " dimensions here");
  }
  if (c.has_input(3) && c.rank(3) != 2) return shape_error("position_ids must be a matrix");
  c.set_output(0, c.dtype(0), x);
  return ok();
}

Status infer_microsoft(InferContext& c) {
  if (c.rank(0) != 3 && c.rank(0) != 4) return shape_error("X must have three or four dimensions");
  if (c.rank(kMicrosoft.cosines) != 2 || c.rank(kMicrosoft.sines) != 2) {
    return shape_error("cos_cache and sin_cache must have two dimensions");
  }
  c.set_output(0, c.dtype(0), c.dims(0));
  return ok();
}

Status rotate(const RunContext& c, const Places& at) {
  const TensorView& view = c.input(0);
  const Attributes& a = c.attributes();
  const bool packed = view.rank() == 3;
  const int64_t batch = view.shape[0];
  int64_t heads = packed ? a.integer("num_heads", 0) : view.shape[1];
  // The older form takes the size of a head from the caches.
  if (packed && heads == 0)
    heads = view.shape[2] / std::max<int64_t>(1, 2 * c.input(at.cosines).shape.back());
  if (heads < 1) return attribute_error("num_heads", "it must be positive");
  const int64_t length = packed ? view.shape[1] : view.shape[2];
  const int64_t size = packed ? view.shape[2] / heads : view.shape[3];
  int64_t rotated = a.integer("rotary_embedding_dim", 0);
  if (rotated == 0) rotated = size;
  const bool interleaved = a.integer("interleaved", 0) != 0;
  const int64_t half = rotated / 2;
  if (rotated < 0 || rotated > size || c.input(at.cosines).shape.back() != half ||
      c.input(at.sines).shape.back() != half) {
    return shape_error("the caches hold " + std::to_string(c.input(at.cosines).shape.back()) +
                       " angles a position, but " + std::to_string(half) + " pairs are rotated");
  }
  const std::vector<double> cosines = read_doubles(c.input(at.cosines)),
                            sines = read_doubles(c.input(at.sines));
  std::vector<int64_t> positions;
  if (c.has_input(at.positions)) positions = read_ints(c.input(at.positions));
  if (at.positions == kMicrosoft.positions && positions.size() == 1) {
    const int64_t first = positions[0];
    positions.resize(static_cast<size_t>(batch * length));
    for (size_t i = 0; i < positions.size(); ++i)
      positions[i] = first + static_cast<int64_t>(i) % length;
  }
  const int64_t rows =
      half == 0 ? 0 : static_cast<int64_t>(std::min(cosines.size(), sines.size())) / half;
  std::vector<double> x = read_doubles(view);
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t s = 0; s < length; ++s) {
      const auto token = static_cast<size_t>(b * length + s);
      if (!positions.empty() && token >= positions.size())
        return shape_error("position_ids is too short");
      const int64_t row = positions.empty() ? static_cast<int64_t>(token) : positions[token];
      if (half > 0 && (row < 0 || row >= rows)) {
        return shape_error("position " + std::to_string(row) + " is not in the caches");
      }
      for (int64_t h = 0; h < heads; ++h) {
        double* pairs =
            x.data() +
            (packed ? (b * length + s) * heads + h : (b * heads + h) * length + s) * size;
        turn_pairs(pairs, {cosines.begin() + row * half, static_cast<size_t>(half)}, {sines.begin() + row * half, static_cast<size_t>(half)}, interleaved);
      }
    }
  }
  write_doubles(c.output(0), x);
  return ok();
}

Status reference(const RunContext& c) { return rotate(c, Places{}); }
Status run_microsoft(const RunContext& c) { return rotate(c, kMicrosoft); }

}  // namespace

extern constinit const OpDef op_ms_rotary_embedding{
    .name = "RotaryEmbedding",
    .domain = "com.microsoft",
    .inputs = {{"input", kFloats},
               {"position_ids", kI64Type},
               {"cos_cache", kFloats},
               {"sin_cache", kFloats}},
    .outputs = {{"output", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_microsoft,
    .reference = run_microsoft,
};

extern constinit const OpDef op_rotary_embedding{
    .name = "RotaryEmbedding",
    .since = 23,
    .inputs = {{"X", kFloats},
               {"cos_cache", kFloats},
               {"sin_cache", kFloats},
               {"position_ids", kI64Type, true}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
