// OPS: det ms_inverse
// Determinants and inverses of the matrices in the last two dimensions:
// https://onnx.ai/onnx/operators/onnx__Det.html

#include <cmath>
#include <utility>

#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status require_square(const InferContext& c) {
  LAN_OK(require_rank(c, 0, 2));
  const Dims& dims = c.dims(0);
  if (may_equal(dims[dims.size() - 2], dims.back())) return ok();
  return shape_error("matrices of " + dims_text(dims) + " are not square");
}

Status infer_det(InferContext& c) {
  LAN_OK(require_square(c));
  c.set_output(0, c.dtype(0), Dims(c.dims(0).begin(), c.dims(0).end() - 2));
  return ok();
}

// Gauss's elimination with `right` beside the matrix (may be empty). Gives the determinant; 0
// stops.
double eliminate(double* matrix, size_t n, double* right) {
  double determinant = 1;
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i) {
      if (std::fabs(matrix[i * n + k]) > std::fabs(matrix[pivot * n + k])) pivot = i;
    }
    const double top = matrix[pivot * n + k];
    determinant *= top;
    if (top == 0) return 0;
    if (pivot != k) {
      determinant = -determinant;
      for (size_t j = 0; j < n; ++j) std::swap(matrix[pivot * n + j], matrix[k * n + j]);
      for (size_t j = 0; right && j < n; ++j) std::swap(right[pivot * n + j], right[k * n + j]);
    }
    for (size_t i = right ? 0 : k + 1; i < n; ++i) {
      const double factor = matrix[i * n + k] / top;
      if (i == k || factor == 0) continue;
      for (size_t j = k; j < n; ++j) matrix[i * n + j] -= factor * matrix[k * n + j];
      for (size_t j = 0; right && j < n; ++j) right[i * n + j] -= factor * right[k * n + j];
    }
  }
  return determinant;
}

Status run_det(const RunContext& c) {
  const auto n = static_cast<size_t>(c.input(0).shape.back());
  std::vector<double> x = read_doubles(c.input(0));
  std::vector<double> y(static_cast<size_t>(c.output(0).count()));
  for (size_t i = 0; i < y.size(); ++i) y[i] = eliminate(x.data() + i * n * n, n, nullptr);
  write_doubles(c.output(0), y);
  return ok();
}

Status infer_inverse(InferContext& c) {
  LAN_OK(require_square(c));
  return infer_same(c);
}

Status run_inverse(const RunContext& c) {
  const auto n = static_cast<size_t>(c.input(0).shape.back());
  std::vector<double> x = read_doubles(c.input(0)), y(x.size());
  for (size_t begin = 0; begin < x.size(); begin += n * n) {
    for (size_t i = 0; i < n; ++i) y[begin + i * n + i] = 1;
    if (eliminate(x.data() + begin, n, y.data() + begin) == 0) {
      return shape_error("a matrix has no inverse");
    }
    for (size_t i = 0; i < n * n; ++i) y[begin + i] /= x[begin + i / n * (n + 1)];
  }
  write_doubles(c.output(0), y);
  return ok();
}

}  // namespace

extern constinit const OpDef op_det{
    .name = "Det",
    .since = 22,
    .inputs = {{"X", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_det,
    .reference = run_det,
};

extern constinit const OpDef op_ms_inverse{
    .name = "Inverse",
    .domain = "com.microsoft",
    .inputs = {{"X", kFloats}},
    .outputs = {{"Y", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_inverse,
    .reference = run_inverse,
};

}  // namespace lanthorn
