// torch.linalg: inverses, determinants, solutions, factorizations, norms of matrices.
#include <cmath>

#include "script/aten/views_shared.h"

namespace lanthorn::script {
namespace {

ValueId own(Emitter& e, const char* op, std::vector<ValueId> inputs, const char* domain = "lanthorn") {
  if (e.failed()) return kNoValue;
  auto made = e.lowering().emit(op, std::move(inputs), {}, domain);
  if (made) return *made;
  e.fail(made.error());
  return kNoValue;
}

std::vector<ValueId> own_many(Emitter& e, const char* op, ValueId x, size_t outputs, Attributes attributes = {}) {
  if (!e.failed()) {
    auto made = e.lowering().emit_many(op, {x}, outputs, std::move(attributes), "lanthorn");
    if (made) return *made;
    e.fail(made.error());
  }
  return std::vector<ValueId>(outputs, kNoValue);
}

ValueId transposed(Emitter& e, ValueId x) {
  const int64_t rank = e.rank(x);
  if (e.failed()) return kNoValue;
  if (rank < 2) {
    e.fail(e.lowering().error(ErrorCode::kInvalidInput, "a matrix has two dimensions"));
    return kNoValue;
  }
  auto order = all_axes(static_cast<size_t>(rank));
  std::swap(order[static_cast<size_t>(rank - 1)], order[static_cast<size_t>(rank - 2)]);
  return e.transpose(x, std::move(order));
}

Result<Value> inverse(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(own(e, "Inverse", {e.read(args.tensor(0))}, "com.microsoft"));
}

// (A, check_errors) -> (inverse, info)
Result<Value> inverse_and_info(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  const ValueId made = own(e, "Inverse", {e.read(x)}, "com.microsoft");
  const size_t lead = x->dims.size() < 2 ? 0 : x->dims.size() - 2;
  return e.tuple({made, e.expand(e.integer(0, DType::kI32), Dims(x->dims.begin(), x->dims.begin() + static_cast<std::ptrdiff_t>(lead)))});
}

Result<Value> determinant(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op("Det", {e.read(args.tensor(0))}));
}

Result<Value> log_determinant(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op("Log", {e.op("Det", {e.read(args.tensor(0))})}));
}

Result<Value> sign_and_log(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId value = e.op("Det", {e.read(args.tensor(0))});
  return e.tuple({e.op("Sign", {value}), e.op("Log", {e.op("Abs", {value})})});
}

/// X of A X = B, leading dimensions broadcast.
Result<Value> solved(Lowering& lowering, ValueId a, ValueId b, bool vector) {
  Emitter e(lowering);
  if (vector) b = e.unsqueeze(b, {-1});
  const Dims left = e.dims(a), right = e.dims(b);
  if (e.failed()) return e.error();
  if (left.size() < 2 || right.size() < 2) return lowering.error(ErrorCode::kInvalidInput, "a matrix has two dimensions");
  const auto lead = [](const Dims& dims) { return Dims(dims.begin(), dims.end() - 2); };
  LAN_TRY(const Dims both, broadcast_dims(lowering, lead(left), lead(right)));
  const auto widened = [&](ValueId x, const Dims& dims) {
    if (lead(dims) == both) return x;
    Dims wide = both;
    wide.insert(wide.end(), dims.end() - 2, dims.end());
    return e.expand(x, wide);
  };
  const ValueId made = own(e, "MatrixSolve", {widened(a, left), widened(b, right)});
  return e.result(vector ? e.squeeze(made, {-1}) : made);
}

/// PyTorch takes B for vectors where it has one dimension, or A's shape without the last.
bool is_vector(const TensorRef& a, const TensorRef& b) {
  return b->dims.size() == 1 || (b->dims.size() + 1 == a->dims.size() && Dims(a->dims.begin(), a->dims.end() - 1) == b->dims);
}

// (A, B, left)
Result<Value> solve(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef a = args.tensor(0), b = args.tensor(1);
  if (args.flag(2)) return solved(lowering, e.read(a), e.read(b), is_vector(a, b));
  const ValueId turned = transposed(e, e.read(a)), right = transposed(e, e.read(b));
  if (e.failed()) return e.error();
  LAN_TRY(const Value made, solved(lowering, turned, right, false));
  return e.result(transposed(e, e.read(made.tensor())));
}

/// A triangle of a matrix, with ones on its diagonal where it is said to have them.
ValueId triangle(Emitter& e, ValueId a, bool upper, bool unit) {
  const int64_t keep_diagonal = unit ? (upper ? 1 : -1) : 0;
  const ValueId part = e.op("Trilu", {a, e.integer(keep_diagonal, DType::kI64)}, {{"upper", int64_t{upper}}});
  if (!unit) return part;
  const Dims dims = e.dims(a);
  if (e.failed()) return kNoValue;
  const ValueId ones = e.expand(e.number(1, e.dtype(a)), dims);
  const ValueId lower = e.op("Trilu", {ones, e.integer(0, DType::kI64)}, {{"upper", int64_t{0}}});
  return e.op("Add", {part, e.op("Trilu", {lower, e.integer(0, DType::kI64)}, {{"upper", int64_t{1}}})});
}

// (A, B, upper, left, unitriangular)
Result<Value> solve_triangular(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId a = triangle(e, e.read(args.tensor(0)), args.flag(2), args.flag(4));
  if (args.flag(3)) {
    const ValueId b = e.read(args.tensor(1));
    if (e.failed()) return e.error();
    return solved(lowering, a, b, false);
  }
  const ValueId turned = transposed(e, a), right = transposed(e, e.read(args.tensor(1)));
  if (e.failed()) return e.error();
  LAN_TRY(const Value made, solved(lowering, turned, right, false));
  return e.result(transposed(e, e.read(made.tensor())));
}

// (B, L, upper): A X = B for A = L L^T, or L^T L
Result<Value> cholesky_solve(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId factor = e.read(args.tensor(1)), other = transposed(e, factor);
  const ValueId a = args.flag(2) ? e.op("MatMul", {other, factor}) : e.op("MatMul", {factor, other});
  const ValueId b = e.read(args.tensor(0));
  if (e.failed()) return e.error();
  return solved(lowering, a, b, false);
}

// (self, upper)
Result<Value> cholesky(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId x = e.read(args.tensor(0));
  const ValueId lower = own(e, "Cholesky", {args.flag(1) ? transposed(e, x) : x});
  return e.result(args.flag(1) ? transposed(e, lower) : lower);
}

// (self, UPLO)
ValueId lower_of(Emitter& e, const Args& args) {
  const ValueId x = e.read(args.tensor(0));
  return args.text(1) == "U" ? transposed(e, x) : x;
}

Result<Value> eigenvalues(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(own(e, "SymmetricEigen", {lower_of(e, args)}));
}
Result<Value> eigenvectors(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.tuple(own_many(e, "SymmetricEigen", lower_of(e, args), 2));
}

Result<Value> singular_values(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(own_many(e, "SingularValues", e.read(args.tensor(0)), 2)[1]);
}

// (A, full_matrices, driver)
Result<Value> svd(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  if (x->dims.size() >= 2 && args.flag(1)) {
    LAN_TRY(const bool square, lowering.equal(x->dims.back(), x->dims[x->dims.size() - 2]));
    if (!square) return lowering.error(ErrorCode::kUnsupported, "a singular value decomposition with full matrices");
  }
  return e.tuple(own_many(e, "SingularValues", e.read(x), 3));
}

// (self, some, compute_uv) -> (U, S, V)
Result<Value> old_svd(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  if (!args.flag(1) || !args.flag(2)) {
    return lowering.error(ErrorCode::kUnsupported, "aten::svd with full matrices or without vectors");
  }
  const auto made = own_many(e, "SingularValues", e.read(args.tensor(0)), 3);
  return e.tuple({made[0], made[1], transposed(e, made[2])});
}

Result<Value> factors(Lowering& lowering, const Args& args, bool complete) {
  Emitter e(lowering);
  return e.tuple(own_many(e, "QrFactors", e.read(args.tensor(0)), 2, {{"complete", int64_t{complete}}}));
}
// (A, mode)
Result<Value> qr(Lowering& lowering, const Args& args) {
  if (args.text(1) == "r") return lowering.error(ErrorCode::kUnsupported, "aten::linalg_qr in mode 'r'");
  return factors(lowering, args, args.text(1) == "complete");
}
// (self, some)
Result<Value> old_qr(Lowering& lowering, const Args& args) { return factors(lowering, args, !args.flag(1)); }

/// V S^+ U^T; singular values up to `ratio` of the largest count as 0.
Result<Value> pseudo_inverse(Lowering& lowering, const TensorRef& x, std::optional<double> ratio) {
  Emitter e(lowering);
  if (x->dims.size() < 2) return lowering.error(ErrorCode::kInvalidInput, "a matrix has two dimensions");
  const auto made = own_many(e, "SingularValues", e.read(x), 3);
  ValueId scale = kNoValue;
  if (ratio) {
    scale = e.number(*ratio, x->dtype);
  } else {
    const Dim larger = max(x->dims.back(), x->dims[x->dims.size() - 2]);
    scale = e.op("Mul", {e.operand(Value(larger), x->dtype), e.number(epsilon_of(x->dtype), x->dtype)});
  }
  const ValueId least = e.op("Mul", {e.reduce("ReduceMax", made[1], {-1}, true), scale});
  const ValueId turned = e.op("Where", {e.op("Greater", {made[1], least}), e.op("Reciprocal", {made[1]}), e.number(0, x->dtype)});
  const ValueId right = e.op("Mul", {transposed(e, made[2]), e.unsqueeze(turned, {-2})});
  return e.result(e.op("MatMul", {right, transposed(e, made[0])}));
}

// (self, rcond)
Result<Value> pinv_ratio(Lowering& lowering, const Args& args) { return pseudo_inverse(lowering, args.tensor(0), args.real(1)); }

// (self, atol, rtol, hermitian)
Result<Value> pinv(Lowering& lowering, const Args& args) {
  if (!args.is_none(1) && args.real(1) != 0) {
    return lowering.error(ErrorCode::kUnsupported, "aten::linalg_pinv with an absolute tolerance");
  }
  std::optional<double> ratio;
  if (!args.is_none(2)) ratio = args.real(2);
  return pseudo_inverse(lowering, args.tensor(0), ratio);
}

// (self, n): by squaring
Result<Value> power(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(int64_t n, lowering.concrete(args.integer(1)));
  if (x->dims.size() < 2) return lowering.error(ErrorCode::kInvalidInput, "a matrix has two dimensions");
  ValueId base = e.read(x), made = kNoValue;
  if (n == 0) {
    const ValueId ones = e.expand(e.number(1, x->dtype), x->dims), zero = e.integer(0, DType::kI64);
    return e.result(e.op("Trilu", {e.op("Trilu", {ones, zero}, {{"upper", int64_t{0}}}), zero}, {{"upper", int64_t{1}}}));
  }
  if (n < 0) base = own(e, "Inverse", {base}, "com.microsoft");
  for (uint64_t left = n < 0 ? uint64_t{0} - static_cast<uint64_t>(n) : static_cast<uint64_t>(n); left > 0; left >>= 1) {
    if (left & 1) made = made == kNoValue ? base : e.op("MatMul", {made, base});
    if (left > 1) base = e.op("MatMul", {base, base});
  }
  return e.result(made == base ? e.op("Identity", {made}) : made);
}

/// Norms of the matrices in two dimensions: "fro", "nuc", or a number.
Result<Value> matrix_norm(Lowering& lowering, const Args& args, const std::string& name, double order) {
  Emitter e(lowering);
  const TensorRef x = args.tensor(0);
  LAN_TRY(const auto axes, axes_of(lowering, args.ints(2), x->dims.size()));
  if (axes.size() != 2) return lowering.error(ErrorCode::kInvalidInput, "a matrix norm is over two dimensions");
  const bool keep = args.flag(3);
  const DType dtype = args.dtype(4).value_or(x->dtype);
  const ValueId value = e.read(x, dtype);
  if (name == "fro") return e.result(e.reduce("ReduceL2", value, axes, keep));
  const bool largest = order > 0;
  const std::string extreme = largest ? "ReduceMax" : "ReduceMin";
  if (name.empty() && (std::fabs(order) == 1 || std::isinf(order))) {
    const int64_t summed = std::isinf(order) ? axes[1] : axes[0], other = std::isinf(order) ? axes[0] : axes[1];
    const ValueId sums = e.reduce("ReduceL1", value, {summed}, true);
    const ValueId made = e.reduce(extreme, sums, {other}, true);
    return e.result(keep ? made : e.squeeze(made, axes));
  }
  if (name.empty() && std::fabs(order) != 2) {
    return lowering.error(ErrorCode::kInvalidInput, "a matrix has no norm of order " + std::to_string(order));
  }
  auto turn = all_axes(x->dims.size());
  std::erase_if(turn, [&](int64_t axis) { return axis == axes[0] || axis == axes[1]; });
  turn.insert(turn.end(), axes.begin(), axes.end());
  const ValueId values = own_many(e, "SingularValues", e.transpose(value, turn), 2)[1];
  ValueId made = e.reduce(name == "nuc" ? "ReduceSum" : extreme, values, {-1}, false);
  if (keep) made = e.unsqueeze(made, {std::min(axes[0], axes[1]), std::max(axes[0], axes[1])});
  return e.result(made);
}

// (self, ord, dim, keepdim, dtype)
Result<Value> matrix_norm_number(Lowering& lowering, const Args& args) {
  const auto order = number_of(args[1]);
  if (!order) return lowering.error(ErrorCode::kUnsupported, "a matrix norm whose order depends on data");
  return matrix_norm(lowering, args, "", *order);
}
Result<Value> matrix_norm_name(Lowering& lowering, const Args& args) { return matrix_norm(lowering, args, args.text(1), 0); }

// (self, other): the Kronecker product
Result<Value> kron(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  Dims a = args.tensor(0)->dims, b = args.tensor(1)->dims;
  while (a.size() < b.size()) a.insert(a.begin(), Dim(1));
  while (b.size() < a.size()) b.insert(b.begin(), Dim(1));
  Dims left, right, made;
  for (size_t i = 0; i < a.size(); ++i) {
    left.insert(left.end(), {a[i], Dim(1)});
    right.insert(right.end(), {Dim(1), b[i]});
    made.push_back(a[i] * b[i]);
  }
  const ValueId x = e.reshape(e.operand(args[0], dtype), left), y = e.reshape(e.operand(args[1], dtype), right);
  return e.result(e.reshape(e.op("Mul", {x, y}), made));
}

constexpr AtenRow kRows[] = {
    {"aten::linalg_inv(Tensor A) -> Tensor", inverse},
    {"aten::inverse(Tensor self) -> Tensor", inverse},
    {"aten::linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)", inverse_and_info},
    {"aten::linalg_det(Tensor A) -> Tensor", determinant},
    {"aten::det(Tensor self) -> Tensor", determinant},
    {"aten::logdet(Tensor self) -> Tensor", log_determinant},
    {"aten::slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)", sign_and_log},
    {"aten::linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)", sign_and_log},
    {"aten::linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor", solve},
    {"aten::linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, bool unitriangular=False) "
     "-> Tensor",
     solve_triangular},
    {"aten::cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor", cholesky_solve},
    {"aten::linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor", cholesky},
    {"aten::cholesky(Tensor self, bool upper=False) -> Tensor", cholesky},
    {"aten::linalg_eigvalsh(Tensor self, str UPLO=\"L\") -> Tensor", eigenvalues},
    {"aten::linalg_eigh(Tensor self, str UPLO=\"L\") -> (Tensor eigenvalues, Tensor eigenvectors)", eigenvectors},
    {"aten::linalg_svdvals(Tensor A, *, str? driver=None) -> Tensor", singular_values},
    {"aten::linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, Tensor S, Tensor Vh)", svd},
    {"aten::svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)", old_svd},
    {"aten::linalg_qr(Tensor A, str mode=\"reduced\") -> (Tensor Q, Tensor R)", qr},
    {"aten::qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)", old_qr},
    {"aten::linalg_pinv(Tensor self, float rcond, bool hermitian=False) -> Tensor", pinv_ratio},
    {"aten::linalg_pinv.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> "
     "Tensor",
     pinv},
    {"aten::pinverse(Tensor self, float rcond=1.0000000000000001e-15) -> Tensor", pinv_ratio},
    {"aten::linalg_matrix_power(Tensor self, int n) -> Tensor", power},
    {"aten::matrix_power(Tensor self, int n) -> Tensor", power},
    {"aten::linalg_matrix_norm(Tensor self, Scalar ord, int[] dim=[-2, -1], bool keepdim=False, *, ScalarType? "
     "dtype=None) -> Tensor",
     matrix_norm_number},
    {"aten::linalg_matrix_norm.str_ord(Tensor self, str ord=\"fro\", int[] dim=[-2, -1], bool keepdim=False, *, "
     "ScalarType? dtype=None) -> Tensor",
     matrix_norm_name},
    {"aten::kron(Tensor self, Tensor other) -> Tensor", kron},
};

}  // namespace

extern const std::span<const AtenRow> aten_linear_algebra = kRows;

}  // namespace lanthorn::script
