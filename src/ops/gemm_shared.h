#pragma once

#include <vector>

#include "ops/op.h"

namespace lanthorn {

/// [rows, columns] of op(A) * op(B), where attributes transA and transB transpose.
Result<Dims> infer_gemm(const Attributes& attributes, const Dims& a, const Dims& b);

/// alpha * op(A) * op(B) as doubles, in C order.
std::vector<double> gemm_product(const Attributes& attributes, const TensorView& a,
                                 std::span<const double> a_values, const TensorView& b,
                                 std::span<const double> b_values);

}  // namespace lanthorn
