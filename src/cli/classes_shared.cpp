#include "cli/classes_shared.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

namespace lanthorn {
namespace {

/// Whether numbers are probabilities already: none negative, and they add up to one.
bool are_probabilities(std::span<const double> row) {
  double sum = 0;
  for (const double v : row) {
    if (v < 0) return false;
    sum += v;
  }
  return std::abs(sum - 1) < 1e-3;
}

}  // namespace

std::vector<TopClasses> top_classes(const Tensor& output, std::span<const std::string> labels, int count) {
  if (output.rank() != 2 || output.shape()[1] < 2 || !is_floating(output.dtype())) return {};
  const auto values = output.to_doubles();
  if (!values) return {};
  const auto classes = static_cast<size_t>(output.shape()[1]);
  std::vector<TopClasses> rows;
  for (size_t r = 0; r < static_cast<size_t>(output.shape()[0]); ++r) {
    const auto row = std::span(*values).subspan(r * classes, classes);
    std::vector<size_t> order(classes);
    std::iota(order.begin(), order.end(), size_t{0});
    const size_t kept = std::min(classes, static_cast<size_t>(count));
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                      [&](size_t a, size_t b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
    const bool ready = are_probabilities(row);
    double sum = 0;
    for (const double v : row) sum += std::exp(v - row[order[0]]);
    TopClasses top;
    for (size_t i = 0; i < kept; ++i) {
      const size_t index = order[i];
      TopClass entry;
      entry.index = static_cast<int64_t>(index);
      entry.label = index < labels.size() ? labels[index] : "class " + std::to_string(index);
      entry.score = row[index];
      entry.probability = ready ? row[index] : std::exp(row[index] - row[order[0]]) / sum;
      top.push_back(std::move(entry));
    }
    rows.push_back(std::move(top));
  }
  return rows;
}

Result<std::vector<std::string>> read_labels(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return Error{ErrorCode::kNotFound, "cannot be opened", path.string(), ""};
  constexpr size_t kMaxLabels = 1'000'000;
  std::vector<std::string> labels;
  std::string line;
  while (std::getline(file, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    labels.push_back(line);
    if (labels.size() > kMaxLabels) {
      return Error{ErrorCode::kLimit, "has more than " + std::to_string(kMaxLabels) + " labels", path.string(), ""};
    }
  }
  return labels;
}

}  // namespace lanthorn
