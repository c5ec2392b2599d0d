#include "cli/expect_shared.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/npz_values_shared.h"
#include "codec/mapped_file.h"
#include "formats/npy/npz.h"

namespace lanthorn {
namespace {

/// The largest difference relative to the largest magnitude; infinity where they cannot agree.
double difference(const Tensor& got, const Tensor& want) {
  const auto a = got.to_doubles(), b = want.to_doubles();
  if (got.shape() != want.shape() || got.dtype() != want.dtype() || !a || !b) return INFINITY;
  double scale = 0, worst = 0;
  for (size_t i = 0; i < b->size(); ++i) {
    const double x = (*a)[i], y = (*b)[i];
    if (std::isfinite(y)) scale = std::max(scale, std::abs(y));
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    if (!std::isfinite(x) || !std::isfinite(y)) return INFINITY;
    worst = std::max(worst, std::abs(x - y));
  }
  return worst == 0 ? 0 : worst / (scale == 0 ? 1 : scale);
}

}  // namespace

Result<Comparison> compare_with(const std::filesystem::path& path, std::span<const NamedValue> outputs, double tolerance) {
  LAN_TRY(const auto file, MappedFile::open(path));
  auto read = read_npz(file, {});
  if (!read) return std::move(read).error().at(path.string());
  Comparison comparison{true, ""};
  double worst = 0;
  size_t position = 0, compared = 0;
  for (const NamedValue& output : outputs) {
    LAN_TRY(const auto entries, value_entries(output));
    for (const NamedTensor& entry : entries) {
      const Tensor* want = read->find(entry.name);
      if (!want) want = read->find("out" + std::to_string(position));
      ++position;
      if (!want) {
        return Error{ErrorCode::kInvalidInput, "has no array for output '" + entry.name + "'", path.string(), ""};
      }
      const double found = difference(entry.tensor, *want);
      const double allowed = is_floating(want->dtype()) ? tolerance : 0;
      worst = std::max(worst, found);
      ++compared;
      if (found > allowed) {
        char number[32];
        std::snprintf(number, sizeof number, "%.2g", found);
        comparison.same = false;
        comparison.text += "'" + entry.name + "' differs by " + number + " of its scale (" +
                           std::string(dtype_name(entry.tensor.dtype())) + shape_text(entry.tensor.shape()) +
                           " against " + std::string(dtype_name(want->dtype())) + shape_text(want->shape()) + ")\n";
      }
    }
  }
  char summary[128];
  std::snprintf(summary, sizeof summary, "%s: %zu output(s), largest difference %.2g of the scale, allowed %.2g",
                comparison.same ? "same as expected" : "NOT as expected", compared, worst, tolerance);
  comparison.text += summary;
  return comparison;
}

}  // namespace lanthorn
