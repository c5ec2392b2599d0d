#include "ops/row_normalization_shared.h"

#include <cmath>

#include "ops/numbers_shared.h"
#include "ops/window_shared.h"

namespace lanthorn {

RowStatistics normalize_rows(std::span<double> x, size_t length, const RowNormalization& how) {
  RowStatistics statistics;
  for (size_t begin = 0; length > 0 && begin < x.size(); begin += length) {
    const std::span<double> row = x.subspan(begin, length);
    double mean = 0, square = 0;
    if (how.center) {
      for (const double value : row) mean += value;
      mean /= static_cast<double>(length);
    }
    for (const double value : row) square += (value - mean) * (value - mean);
    const double inverse = 1 / std::sqrt(square / static_cast<double>(length) + how.epsilon);
    for (double& value : row) value = (value - mean) * inverse;
    statistics.mean.push_back(mean);
    statistics.inverse_deviation.push_back(inverse);
  }
  return statistics;
}

void scale_rows(std::span<double> x, std::span<const int64_t> shape, const TensorView* scale,
                const TensorView* bias) {
  if (x.empty()) return;
  for (const TensorView* parameter : {scale, bias}) {
    if (!parameter) continue;
    const std::vector<double> values = read_doubles(*parameter);
    const size_t skipped = shape.size() - parameter->rank();
    Counter at(shape);
    size_t i = 0;
    do {
      size_t from = 0;
      for (size_t axis = 0; axis < parameter->rank(); ++axis) {
        const int64_t size = parameter->shape[axis];
        from = from * static_cast<size_t>(size) +
               static_cast<size_t>(size == 1 ? 0 : at[skipped + axis]);
      }
      x[i] = parameter == scale ? x[i] * values[from] : x[i] + values[from];
      ++i;
    } while (at.next());
  }
}

Status check_row_parameter(const Dims& x, const Dims& parameter, std::string_view name) {
  bool fits = parameter.size() <= x.size();
  for (size_t i = 0; fits && i < parameter.size(); ++i) {
    fits = parameter[i].is(1) || may_equal(parameter[i], x[x.size() - parameter.size() + i]);
  }
  if (fits) return ok();
  return shape_error(std::string(name) + " " + dims_text(parameter) + " does not fit input " +
                     dims_text(x));
}

}  // namespace lanthorn
