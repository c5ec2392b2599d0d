// OPS: matrix_solve cholesky symmetric_eigen singular_values qr_factors
// Factorizations and solutions of the matrices in the last two dimensions, which ONNX has no operators for: what
// torch.linalg has. They are worked out in double precision.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "ops/numbers_shared.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

constexpr int kMaxSweeps = 60;

Status require_square(const InferContext& c) {
  LAN_OK(require_rank(c, 0, 2));
  const Dims& dims = c.dims(0);
  if (may_equal(dims[dims.size() - 2], dims.back())) return ok();
  return shape_error("matrices of " + dims_text(dims) + " are not square");
}

struct Matrices {
  int64_t count = 0;
  size_t rows = 0, columns = 0;
};

Matrices matrices_of(std::span<const int64_t> shape) {
  const size_t rank = shape.size();
  return {count_between(shape, 0, rank - 2), static_cast<size_t>(shape[rank - 2]), static_cast<size_t>(shape[rank - 1])};
}

// ---- A X = B, by elimination with the largest pivot. A and B have the same leading dimensions.

Status infer_solve(InferContext& c) {
  LAN_OK(require_square(c));
  LAN_OK(require_same_dtype(c, 0, 2));
  if (c.rank(1) != c.rank(0)) return shape_error("right sides " + dims_text(c.dims(1)) + " do not fit " + dims_text(c.dims(0)));
  for (size_t i = 0; i + 1 < c.dims(0).size(); ++i) {
    if (!may_equal(c.dims(0)[i], c.dims(1)[i]))
      return shape_error("right sides " + dims_text(c.dims(1)) + " do not fit " + dims_text(c.dims(0)));
  }
  c.set_output(0, c.dtype(0), c.dims(1));
  return ok();
}

bool solve(double* a, size_t n, double* b, size_t m) {
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i) {
      if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k])) pivot = i;
    }
    if (a[pivot * n + k] == 0) return false;
    if (pivot != k) {
      std::swap_ranges(a + k * n, a + (k + 1) * n, a + pivot * n);
      std::swap_ranges(b + k * m, b + (k + 1) * m, b + pivot * m);
    }
    for (size_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      if (factor == 0) continue;
      for (size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
      for (size_t j = 0; j < m; ++j) b[i * m + j] -= factor * b[k * m + j];
    }
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t j = 0; j < m; ++j) {
      double sum = b[k * m + j];
      for (size_t i = k + 1; i < n; ++i) sum -= a[k * n + i] * b[i * m + j];
      b[k * m + j] = sum / a[k * n + k];
    }
  }
  return true;
}

Status run_solve(const RunContext& c) {
  const Matrices left = matrices_of(c.input(0).shape), right = matrices_of(c.input(1).shape);
  std::vector<double> a = read_doubles(c.input(0)), b = read_doubles(c.input(1));
  for (size_t i = 0; i < static_cast<size_t>(left.count); ++i) {
    if (!solve(a.data() + i * left.rows * left.rows, left.rows, b.data() + i * right.rows * right.columns, right.columns))
      return shape_error("a matrix is singular: the equations have no one solution");
  }
  write_doubles(c.output(0), b);
  return ok();
}

// ---- A = L L^T

Status infer_cholesky(InferContext& c) {
  LAN_OK(require_square(c));
  return infer_same(c);
}

Status run_cholesky(const RunContext& c) {
  const Matrices shape = matrices_of(c.input(0).shape);
  const size_t n = shape.rows;
  const std::vector<double> x = read_doubles(c.input(0));
  std::vector<double> y(x.size());
  for (size_t begin = 0; begin < x.size(); begin += n * n) {
    const double* a = x.data() + begin;
    double* l = y.data() + begin;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        double sum = a[i * n + j];
        for (size_t k = 0; k < j; ++k) sum -= l[i * n + k] * l[j * n + k];
        if (i != j) {
          l[i * n + j] = sum / l[j * n + j];
        } else if (sum > 0) {
          l[i * n + j] = std::sqrt(sum);
        } else {
          return shape_error("a matrix is not positive-definite");
        }
      }
    }
  }
  write_doubles(c.output(0), y);
  return ok();
}

// ---- Eigenvalues in ascending order, and eigenvectors as columns, of the lower triangle: Jacobi's rotations.

Status infer_eigen(InferContext& c) {
  LAN_OK(require_square(c));
  c.set_output(0, c.dtype(0), Dims(c.dims(0).begin(), c.dims(0).end() - 1));
  if (c.output_count() > 1) c.set_output(1, c.dtype(0), c.dims(0));
  return ok();
}

void rotate_to_diagonal(std::vector<double>& a, std::vector<double>& v, size_t n) {
  for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
    double off = 0, all = 0;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) (i == j ? all : off) += a[i * n + j] * a[i * n + j];
    }
    if (!(off > all * 1e-30)) return;
    for (size_t p = 0; p + 1 < n; ++p) {
      for (size_t q = p + 1; q < n; ++q) {
        const double apq = a[p * n + q];
        if (apq == 0) continue;
        const double theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
        const double t = (theta >= 0 ? 1 : -1) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
        const double cosine = 1 / std::sqrt(t * t + 1), sine = t * cosine;
        const auto turn = [&](double& x, double& y) {
          const double old = x;
          x = cosine * old - sine * y;
          y = sine * old + cosine * y;
        };
        for (size_t k = 0; k < n; ++k) turn(a[k * n + p], a[k * n + q]);
        for (size_t k = 0; k < n; ++k) turn(a[p * n + k], a[q * n + k]);
        for (size_t k = 0; k < n; ++k) turn(v[k * n + p], v[k * n + q]);
      }
    }
  }
}

Status run_eigen(const RunContext& c) {
  const Matrices shape = matrices_of(c.input(0).shape);
  const size_t n = shape.rows;
  const std::vector<double> x = read_doubles(c.input(0));
  std::vector<double> values, vectors(x.size());
  for (size_t begin = 0; begin < x.size(); begin += n * n) {
    std::vector<double> a(n * n), v(n * n, 0.0);
    for (size_t i = 0; i < n; ++i) {
      v[i * n + i] = 1;
      for (size_t j = 0; j < n; ++j) a[i * n + j] = x[begin + std::max(i, j) * n + std::min(i, j)];
    }
    rotate_to_diagonal(a, v, n);
    std::vector<size_t> order(n);
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return a[i * n + i] < a[j * n + j]; });
    for (size_t j = 0; j < n; ++j) {
      values.push_back(a[order[j] * n + order[j]]);
      for (size_t i = 0; i < n; ++i) vectors[begin + i * n + j] = v[i * n + order[j]];
    }
  }
  write_doubles(c.output(0), values);
  write_doubles(c.output(1), vectors);
  return ok();
}

// ---- A = U diag(S) V^T, reduced; S descends. One-sided Jacobi: the columns are made orthogonal.

Status infer_singular(InferContext& c) {
  LAN_OK(require_rank(c, 0, 2));
  Dims lead(c.dims(0).begin(), c.dims(0).end() - 2);
  const Dim rows = c.dims(0)[lead.size()], columns = c.dims(0).back(), least = min(rows, columns);
  const auto with = [&](std::initializer_list<Dim> more) {
    Dims dims = lead;
    dims.insert(dims.end(), more);
    return dims;
  };
  c.set_output(0, c.dtype(0), with({rows, least}));
  if (c.output_count() > 1) c.set_output(1, c.dtype(0), with({least}));
  if (c.output_count() > 2) c.set_output(2, c.dtype(0), with({least, columns}));
  return ok();
}

// Columns of a [m, n], m >= n; v [n, n] collects the rotations.
void orthogonalize(std::vector<double>& a, std::vector<double>& v, size_t m, size_t n) {
  for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
    bool turned = false;
    for (size_t p = 0; p + 1 < n; ++p) {
      for (size_t q = p + 1; q < n; ++q) {
        double pp = 0, qq = 0, pq = 0;
        for (size_t k = 0; k < m; ++k) {
          pp += a[k * n + p] * a[k * n + p];
          qq += a[k * n + q] * a[k * n + q];
          pq += a[k * n + p] * a[k * n + q];
        }
        if (!(std::fabs(pq) > 1e-15 * std::sqrt(pp * qq))) continue;
        turned = true;
        const double zeta = (qq - pp) / (2 * pq);
        const double t = (zeta >= 0 ? 1 : -1) / (std::fabs(zeta) + std::sqrt(1 + zeta * zeta));
        const double cosine = 1 / std::sqrt(1 + t * t), sine = cosine * t;
        const auto turn = [&](double& x, double& y) {
          const double old = x;
          x = cosine * old - sine * y;
          y = sine * old + cosine * y;
        };
        for (size_t k = 0; k < m; ++k) turn(a[k * n + p], a[k * n + q]);
        for (size_t k = 0; k < n; ++k) turn(v[k * n + p], v[k * n + q]);
      }
    }
    if (!turned) return;
  }
}

Status run_singular(const RunContext& c) {
  const Matrices shape = matrices_of(c.input(0).shape);
  const bool wide = shape.columns > shape.rows;
  const size_t m = wide ? shape.columns : shape.rows, n = wide ? shape.rows : shape.columns;
  const std::vector<double> x = read_doubles(c.input(0));
  std::vector<double> left, values, right;
  for (int64_t one = 0; one < shape.count; ++one) {
    const double* from = x.data() + static_cast<size_t>(one) * m * n;
    std::vector<double> a(m * n), v(n * n, 0.0);
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = 0; j < n; ++j) a[i * n + j] = wide ? from[j * m + i] : from[i * n + j];
    }
    for (size_t i = 0; i < n; ++i) v[i * n + i] = 1;
    orthogonalize(a, v, m, n);
    std::vector<double> lengths(n);
    for (size_t j = 0; j < n; ++j) {
      for (size_t i = 0; i < m; ++i) lengths[j] += a[i * n + j] * a[i * n + j];
      lengths[j] = std::sqrt(lengths[j]);
    }
    std::vector<size_t> order(n);
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t i, size_t j) { return lengths[i] > lengths[j]; });
    const auto unit = [&](size_t i, size_t j) { return lengths[j] > 0 ? a[i * n + j] / lengths[j] : 0; };
    for (const size_t j : order) values.push_back(lengths[j]);
    // Of a wide matrix A^T = U S V^T was worked out, so that the sides are exchanged.
    for (size_t i = 0; i < (wide ? n : m); ++i) {
      for (const size_t j : order) left.push_back(wide ? v[i * n + j] : unit(i, j));
    }
    for (const size_t j : order) {
      for (size_t i = 0; i < (wide ? m : n); ++i) right.push_back(wide ? unit(i, j) : v[i * n + j]);
    }
  }
  write_doubles(c.output(0), left);
  write_doubles(c.output(1), values);
  write_doubles(c.output(2), right);
  return ok();
}

// ---- A = Q R by Householder's reflections, with the signs that LAPACK gives; reduced or complete.

Status infer_qr(InferContext& c) {
  LAN_OK(require_rank(c, 0, 2));
  const size_t lead = c.dims(0).size() - 2;
  const Dim rows = c.dims(0)[lead], columns = c.dims(0)[lead + 1];
  const Dim inner = c.attributes().integer("complete", 0) != 0 ? rows : min(rows, columns);
  Dims q = c.dims(0), r = c.dims(0);
  q[lead + 1] = inner;
  r[lead] = inner;
  c.set_output(0, c.dtype(0), std::move(q));
  if (c.output_count() > 1) c.set_output(1, c.dtype(0), std::move(r));
  return ok();
}

Status run_qr(const RunContext& c) {
  const Matrices shape = matrices_of(c.input(0).shape);
  const size_t m = shape.rows, n = shape.columns;
  const auto inner = static_cast<size_t>(c.output(0).shape.back());
  const std::vector<double> x = read_doubles(c.input(0));
  std::vector<double> qs, rs;
  for (int64_t one = 0; one < shape.count; ++one) {
    std::vector<double> r(x.begin() + one * static_cast<int64_t>(m * n), x.begin() + (one + 1) * static_cast<int64_t>(m * n));
    std::vector<double> q(m * m, 0.0);
    for (size_t i = 0; i < m; ++i) q[i * m + i] = 1;
    for (size_t k = 0; k < std::min(m, n) && k + 1 < m; ++k) {
      double below = 0;
      for (size_t i = k + 1; i < m; ++i) below += r[i * n + k] * r[i * n + k];
      if (below == 0) continue;
      const double alpha = r[k * n + k], length = std::sqrt(alpha * alpha + below);
      const double beta = alpha >= 0 ? -length : length;
      std::vector<double> v(m, 0.0);
      v[k] = 1;
      for (size_t i = k + 1; i < m; ++i) v[i] = r[i * n + k] / (alpha - beta);
      const double tau = (beta - alpha) / beta;
      for (size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (size_t i = k; i < m; ++i) sum += v[i] * r[i * n + j];
        for (size_t i = k; i < m; ++i) r[i * n + j] -= tau * v[i] * sum;
      }
      for (size_t i = 0; i < m; ++i) {
        double sum = 0;
        for (size_t j = k; j < m; ++j) sum += q[i * m + j] * v[j];
        for (size_t j = k; j < m; ++j) q[i * m + j] -= tau * sum * v[j];
      }
    }
    for (size_t i = 0; i < m; ++i) {
      for (size_t j = 0; j < inner; ++j) qs.push_back(q[i * m + j]);
    }
    for (size_t i = 0; i < inner; ++i) {
      for (size_t j = 0; j < n; ++j) rs.push_back(j < i ? 0 : r[i * n + j]);
    }
  }
  write_doubles(c.output(0), qs);
  write_doubles(c.output(1), rs);
  return ok();
}

}  // namespace

extern constinit const OpDef op_matrix_solve{
    .name = "MatrixSolve",
    .domain = "lanthorn",
    .inputs = {{"A", kFloats}, {"B", kFloats}},
    .outputs = {{"X", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_solve,
    .reference = run_solve,
};

extern constinit const OpDef op_cholesky{
    .name = "Cholesky",
    .domain = "lanthorn",
    .inputs = {{"A", kFloats}},
    .outputs = {{"L", kFloats}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_cholesky,
    .reference = run_cholesky,
};

extern constinit const OpDef op_symmetric_eigen{
    .name = "SymmetricEigen",
    .domain = "lanthorn",
    .inputs = {{"A", kFloats}},
    .outputs = {{"values", kFloats}, {"vectors", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_eigen,
    .reference = run_eigen,
};

extern constinit const OpDef op_singular_values{
    .name = "SingularValues",
    .domain = "lanthorn",
    .inputs = {{"A", kFloats}},
    .outputs = {{"U", kFloats}, {"S", kFloats, true}, {"Vh", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_singular,
    .reference = run_singular,
};

extern constinit const OpDef op_qr_factors{
    .name = "QrFactors",
    .domain = "lanthorn",
    .inputs = {{"A", kFloats}},
    .outputs = {{"Q", kFloats}, {"R", kFloats, true}},
    .accuracy = Accuracy::kSummed,
    .infer = infer_qr,
    .reference = run_qr,
};

}  // namespace lanthorn
