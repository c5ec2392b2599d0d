// TfIdfVectorizer: https://onnx.ai/onnx/operators/onnx__TfIdfVectorizer.html

#include <algorithm>
#include <map>
#include <unordered_map>

#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"
#include "ops/text_lists_shared.h"

namespace lanthorn {
namespace {

struct Lengths {
  int64_t least = 0, most = 0, skips = 0;
  explicit Lengths(const Attributes& a)
      : least(a.integer("min_gram_length", 1)),
        most(a.integer("max_gram_length", 1)),
        skips(a.integer("max_skip_count", 0)) {}
};

int64_t columns(const std::vector<int64_t>& indexes) {
  return indexes.empty() ? 0 : *std::max_element(indexes.begin(), indexes.end()) + 1;
}

Status infer(InferContext& c) {
  const Attributes& a = c.attributes();
  const Lengths lengths(a);
  if (lengths.least < 1 || lengths.most < lengths.least || lengths.skips < 0) {
    return attribute_error("max_gram_length", "the lengths of n-grams are impossible");
  }
  const std::string_view mode = a.text("mode", "");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF") {
    return attribute_error("mode", "it is TF, IDF or TFIDF");
  }
  if (a.has("pool_strings") == a.has("pool_int64s")) {
    return attribute_error("pool_strings", "one of pool_strings and pool_int64s must be there");
  }
  if (a.has("pool_strings") != (c.dtype(0) == DType::kString)) {
    return refused("the pool is not of the input's type");
  }
  const std::vector<int64_t> indexes = a.ints("ngram_indexes"), starts = a.ints("ngram_counts");
  const auto size = static_cast<int64_t>(
      std::max(text_list(a, "pool_strings").size(), a.ints("pool_int64s").size()));
  int64_t last = 0;
  for (const int64_t start : starts) {
    if (start < last || start > size) return attribute_error("ngram_counts", "a start is no place");
    last = start;
  }
  for (const int64_t index : indexes) {
    if (index < 0 || index >= int64_t{1} << 26) {
      return attribute_error("ngram_indexes", "an index is no place");
    }
  }
  LAN_OK(require_rank(c, 0, 0, 2));
  Dims dims;
  if (c.rank(0) == 2) dims.push_back(c.dims(0)[0]);
  dims.emplace_back(columns(indexes));
  c.set_output(0, DType::kF32, std::move(dims));
  return ok();
}

// The n-grams of a pool as a tree; words and numbers are counted through by their bytes.
class Grams {
 public:
  static constexpr size_t kNothing = SIZE_MAX;

  int64_t token(const std::string& key) const {
    const auto found = tokens_.find(key);
    return found == tokens_.end() ? -1 : found->second;
  }
  size_t child(size_t node, int64_t token) const {
    const auto found = children_.find({node, token});
    return found == children_.end() ? kNothing : found->second;
  }
  /// The output column of the n-gram that ends here; -1: none does.
  int64_t column(size_t node) const { return columns_[node]; }

  void add(std::span<const std::string> gram, int64_t column) {
    size_t node = 0;
    for (const std::string& key : gram) {
      const int64_t token =
          tokens_.emplace(key, static_cast<int64_t>(tokens_.size())).first->second;
      const auto [child, fresh] = children_.emplace(std::pair{node, token}, columns_.size());
      if (fresh) columns_.push_back(-1);
      node = child->second;
    }
    columns_[node] = column;
  }

 private:
  std::unordered_map<std::string, int64_t> tokens_;
  std::map<std::pair<size_t, int64_t>, size_t> children_;
  std::vector<int64_t> columns_{-1};
};

std::string key_of(int64_t number) {
  return std::string(reinterpret_cast<const char*>(&number), 8);
}

Grams read_grams(const Attributes& a, const Lengths& lengths) {
  std::vector<std::string> pool = text_list(a, "pool_strings");
  for (const int64_t number : a.ints("pool_int64s")) pool.push_back(key_of(number));
  std::vector<int64_t> starts = a.ints("ngram_counts");
  const std::vector<int64_t> indexes = a.ints("ngram_indexes");
  starts.push_back(static_cast<int64_t>(pool.size()));
  Grams grams;
  size_t next = 0;
  for (size_t n = 1; n < starts.size(); ++n) {
    const auto end = static_cast<size_t>(starts[n]);
    for (auto at = static_cast<size_t>(starts[n - 1]); at + n <= end; at += n, ++next) {
      const auto length = static_cast<int64_t>(n);
      if (length < lengths.least || length > lengths.most || next >= indexes.size()) continue;
      grams.add(std::span(pool).subspan(at, n), indexes[next]);
    }
  }
  return grams;
}

// Counts the n-grams that begin at each place, their items `distance` apart.
void count(const Grams& grams, std::span<const int64_t> row, int64_t least, int64_t most,
           int64_t distance, std::span<double> counts) {
  const auto size = static_cast<int64_t>(row.size());
  for (int64_t begin = 0; begin < size; ++begin) {
    if ((least - 1) > (size - 1 - begin) / distance) break;
    size_t node = 0;
    int64_t length = 1;
    for (int64_t at = begin; at < size && length <= most; at += distance, ++length) {
      node = grams.child(node, row[static_cast<size_t>(at)]);
      if (node == Grams::kNothing) break;
      const int64_t column = grams.column(node);
      if (length >= least && column >= 0) counts[static_cast<size_t>(column)] += 1;
    }
  }
}

Status reference(const RunContext& c) {
  const Attributes& a = c.attributes();
  const Lengths lengths(a);
  const Grams grams = read_grams(a, lengths);
  std::vector<int64_t> tokens;
  if (c.input(0).dtype == DType::kString) {
    for (const std::string& word : c.input(0).as<std::string>())
      tokens.push_back(grams.token(word));
  } else {
    for (const int64_t number : read_ints(c.input(0)))
      tokens.push_back(grams.token(key_of(number)));
  }
  const bool rows_apart = c.input(0).rank() == 2;
  const auto rows = static_cast<size_t>(rows_apart ? c.input(0).shape[0] : 1);
  const size_t size = rows == 0 ? 0 : tokens.size() / rows;
  const auto width = static_cast<size_t>(c.output(0).shape.back());
  std::vector<double> y(rows * width);
  for (size_t row = 0; row < rows; ++row) {
    const auto items = std::span<const int64_t>(tokens).subspan(row * size, size);
    const auto counts = std::span<double>(y).subspan(row * width, width);
    int64_t least = lengths.least;
    for (int64_t skip = 0; skip <= std::min(lengths.skips, static_cast<int64_t>(size)); ++skip) {
      count(grams, items, least, lengths.most, skip + 1, counts);
      // Single items are the same whatever is skipped.
      if (least == 1 && ++least > lengths.most) break;
    }
  }
  const std::string_view mode = a.text("mode", "");
  // The weights are in the order of the pool, as the indexes are.
  const std::vector<float> given = a.reals("weights");
  const std::vector<int64_t> indexes = a.ints("ngram_indexes");
  std::vector<double> weights(width, 1.0);
  for (size_t i = 0; i < indexes.size() && i < given.size(); ++i) {
    weights[static_cast<size_t>(indexes[i])] = static_cast<double>(given[i]);
  }
  for (size_t i = 0; i < y.size(); ++i) {
    if (mode == "IDF") y[i] = std::min(y[i], 1.0);
    if (mode != "TF") y[i] *= weights[i % width];
  }
  write_doubles(c.output(0), y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_tf_idf_vectorizer{
    .name = "TfIdfVectorizer",
    .since = 9,
    .inputs = {{"X", kStringType | type_bit(DType::kI32) | kI64Type}},
    .outputs = {{"Y", type_bit(DType::kF32)}},
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
