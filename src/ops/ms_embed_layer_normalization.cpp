// com.microsoft EmbedLayerNormalization: the sum of embeddings, normalized.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

#include "ops/numbers_shared.h"
#include "ops/row_normalization_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

constexpr uint64_t kI32 = type_bit(DType::kI32);
enum Input : size_t { kIds, kSegments, kWords, kPlaces, kKinds, kGamma, kBeta, kMask, kPositions };

Status infer(InferContext& c) {
  LAN_OK(require_rank(c, kIds, 2, 2));
  const Dims& ids = c.dims(kIds);
  if (c.rank(kWords) == 2 && c.dims(kWords)[1].is(0))
    return shape_error("the embeddings are empty");
  for (const size_t table : {kWords, kPlaces, kKinds}) {
    if (!c.has_input(table)) continue;
    LAN_OK(require_rank(c, table, 2, 2));
    if (!may_equal(c.dims(table)[1], c.dims(kWords)[1]))
      return shape_error("the embeddings are of different sizes");
  }
  for (const size_t row : {kGamma, kBeta}) {
    if (c.rank(row) != 1 || !may_equal(c.dims(row)[0], c.dims(kWords)[1]))
      return shape_error("gamma and beta do not fit");
  }
  if (c.has_input(kMask)) LAN_OK(require_rank(c, kMask, 2, 2));
  const Dims y{ids[0], ids[1], c.dims(kWords)[1]};
  c.set_output(0, c.dtype(kWords), y);
  c.set_output(1, DType::kI32, Dims{ids[0]});
  c.set_output(2, c.dtype(kWords), y);
  return ok();
}

// Adds a row of a table to every row of `sums`.
template <class F>
Status add_rows(const TensorView& table, std::vector<double>& sums, F index_of) {
  const std::vector<double> numbers = read_doubles(table);
  const auto size = static_cast<size_t>(table.shape[1]);
  for (size_t row = 0; row * size < sums.size(); ++row) {
    const int64_t index = index_of(row);
    if (index < 0 || index >= table.shape[0]) {
      return shape_error("index " + std::to_string(index) + " of " +
                         std::to_string(table.shape[0]) + " embeddings");
    }
    for (size_t i = 0; i < size; ++i)
      sums[row * size + i] += numbers[static_cast<size_t>(index) * size + i];
  }
  return ok();
}

Status reference(const RunContext& c) {
  const std::vector<int64_t> ids = read_ints(c.input(kIds));
  const auto length = static_cast<size_t>(c.input(kIds).shape[1]);
  const auto size = static_cast<size_t>(c.input(kWords).shape[1]);
  std::vector<double> sums(ids.size() * size);
  LAN_OK(add_rows(c.input(kWords), sums, [&](size_t row) { return ids[row]; }));
  std::vector<int64_t> positions;
  if (c.has_input(kPositions)) positions = read_ints(c.input(kPositions));
  LAN_OK(add_rows(c.input(kPlaces), sums, [&](size_t row) {
    if (positions.size() == ids.size()) return positions[row];
    return positions.size() == length ? positions[row % length]
                                      : static_cast<int64_t>(row % length);
  }));
  if (c.has_input(kKinds)) {
    std::vector<int64_t> kinds(ids.size());
    if (c.has_input(kSegments)) kinds = read_ints(c.input(kSegments));
    if (kinds.size() != ids.size()) return shape_error("segment_ids does not fit input_ids");
    LAN_OK(add_rows(c.input(kKinds), sums, [&](size_t row) { return kinds[row]; }));
  }
  write_doubles(c.output(2), sums);
  normalize_rows(sums, size, {true, c.attributes().real("epsilon", 1e-12f)});
  scale_rows(sums, c.output(0).shape, &c.input(kGamma), &c.input(kBeta));
  write_doubles(c.output(0), sums);
  if (!c.output(1).present()) return ok();
  std::vector<double> counts(static_cast<size_t>(c.input(kIds).shape[0]));
  if (c.has_input(kMask)) {
    const std::vector<int64_t> mask = read_ints(c.input(kMask));
    if (mask.size() != ids.size()) return shape_error("the mask does not fit input_ids");
    for (size_t i = 0; i < mask.size(); ++i) counts[i / length] += mask[i] == 1 ? 1 : 0;
  }
  write_doubles(c.output(1), counts);
  return ok();
}

}  // namespace

extern constinit const OpDef op_ms_embed_layer_normalization{
    .name = "EmbedLayerNormalization",
    .domain = "com.microsoft",
    .inputs = {{"input_ids", kI32},
               {"segment_ids", kI32, true},
               {"word_embedding", kFloats},
               {"position_embedding", kFloats},
               {"segment_embedding", kFloats, true},
               {"gamma", kFloats},
               {"beta", kFloats},
               {"mask", kI32, true},
               {"position_ids", kI32, true}},
    .outputs = {{"output", kFloats}, {"mask_index", kI32, true}, {"embedding_sum", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
