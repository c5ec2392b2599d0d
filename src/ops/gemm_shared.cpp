#include "ops/gemm_shared.h"

#include "ops/numbers_shared.h"

namespace lanthorn {

Result<Dims> infer_gemm(const Attributes& attributes, const Dims& a, const Dims& b) {
  if (a.size() != 2 || b.size() != 2) {
    return shape_error("A is " + dims_text(a) + " and B is " + dims_text(b) +
                       "; both must be matrices");
  }
  const size_t trans_a = attributes.integer("transA", 0) != 0;
  const size_t trans_b = attributes.integer("transB", 0) != 0;
  if (!may_equal(a[1 - trans_a], b[trans_b])) {
    return shape_error("A " + dims_text(a) + " and B " + dims_text(b) + " do not fit: " +
                       a[1 - trans_a].text() + " columns meet " + b[trans_b].text() + " rows");
  }
  return Dims{a[trans_a], b[1 - trans_b]};
}

std::vector<double> gemm_product(const Attributes& attributes, const TensorView& a,
                                 std::span<const double> a_values, const TensorView& b,
                                 std::span<const double> b_values) {
  const bool trans_a = attributes.integer("transA", 0) != 0;
  const bool trans_b = attributes.integer("transB", 0) != 0;
  const double alpha = attributes.real("alpha", 1);
  const auto rows = static_cast<size_t>(a.shape[trans_a]);
  const auto depth = static_cast<size_t>(a.shape[!trans_a]);
  const auto columns = static_cast<size_t>(b.shape[!trans_b]);
  std::vector<double> y(rows * columns);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t k = 0; k < depth; ++k) {
      const double factor = alpha * a_values[trans_a ? k * rows + i : i * depth + k];
      for (size_t j = 0; j < columns; ++j) {
        y[i * columns + j] += factor * b_values[trans_b ? j * depth + k : k * columns + j];
      }
    }
  }
  return y;
}

}  // namespace lanthorn
