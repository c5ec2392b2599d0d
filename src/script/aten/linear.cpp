// Matrix products.
#include <algorithm>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

/// The transpose of a matrix; of a constant: the same bytes seen with other strides.
ValueId transposed(Emitter& e, ValueId matrix) {
  if (!e.failed()) {
    const Tensor* known = e.lowering().known(matrix);
    if (known && known->storage() && known->rank() == 2) {
      auto view = Tensor::view(known->dtype(), {known->shape()[1], known->shape()[0]},
                               {known->strides()[1], known->strides()[0]}, known->offset_bytes(),
                               known->storage());
      if (view) return e.lowering().constant(*std::move(view));
    }
  }
  return e.transpose(matrix, {1, 0});
}

Result<Value> linear(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef input = args.tensor(0), weight = args.tensor(1), bias = args.optional_tensor(2);
  const ValueId x = e.read(input), w = e.read(weight);
  if (input->dims.size() == 2 && weight->dims.size() == 2 && (!bias || bias->dims.size() == 1)) {
    std::vector<ValueId> inputs = {x, w};
    if (bias) inputs.push_back(e.read(bias));
    return e.result(e.op("Gemm", std::move(inputs), {{"transB", int64_t{1}}}));
  }
  ValueId y = e.op("MatMul", {x, weight->dims.size() == 2 ? transposed(e, w) : w});
  if (bias) y = e.op("Add", {y, e.read(bias)});
  return e.result(y);
}

bool is_number(const Value& value, double number) {
  const auto known = number_of(value);
  return known && *known == number;
}

/// beta * self + alpha * product; self is not read where beta is 0.
Result<Value> add_product(Emitter& e, const TensorRef& self, ValueId product, const Value& beta,
                          const Value& alpha) {
  const DType dtype = e.dtype(product);
  if (!is_number(alpha, 1)) product = e.op("Mul", {product, e.operand(alpha, dtype)});
  if (is_number(beta, 0)) return e.result(product);
  ValueId added = e.read(self, dtype);
  if (!is_number(beta, 1)) added = e.op("Mul", {added, e.operand(beta, dtype)});
  return e.result(e.op("Add", {product, added}));
}

// (self, mat1, mat2, beta, alpha)
Result<Value> addmm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef self = args.tensor(0);
  const ValueId a = e.read(args.tensor(1)), b = e.read(args.tensor(2));
  const auto beta = number_of(args[3]), alpha = number_of(args[4]);
  if (is_floating(e.dtype(a)) && beta && alpha && *beta != 0) {
    return e.result(e.op("Gemm", {a, b, e.read(self)},
                         {{"alpha", static_cast<float>(*alpha)}, {"beta", static_cast<float>(*beta)}}));
  }
  return add_product(e, self, e.op("MatMul", {a, b}), args[3], args[4]);
}

// Products that are added to something: addmv, baddbmm.
Result<Value> add_matmul(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId product = e.op("MatMul", {e.read(args.tensor(1)), e.read(args.tensor(2))});
  return add_product(e, args.tensor(0), product, args[3], args[4]);
}

Result<Value> addbmm(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId product = e.op("MatMul", {e.read(args.tensor(1)), e.read(args.tensor(2))});
  return add_product(e, args.tensor(0), e.reduce("ReduceSum", product, {0}, false), args[3], args[4]);
}

ValueId outer_product(Emitter& e, ValueId a, ValueId b) {
  return e.op("Mul", {e.unsqueeze(a, {1}), e.unsqueeze(b, {0})});
}

Result<Value> outer(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const DType dtype = result_type(std::vector<Value>{args[0], args[1]});
  return e.result(outer_product(e, e.read(args.tensor(0), dtype), e.read(args.tensor(1), dtype)));
}

Result<Value> addr(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const ValueId product = outer_product(e, e.read(args.tensor(1)), e.read(args.tensor(2)));
  return add_product(e, args.tensor(0), product, args[3], args[4]);
}

Result<Value> matmul(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  return e.result(e.op("MatMul", {e.read(args.tensor(0)), e.read(args.tensor(1))}));
}

Result<Value> chain_matmul(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const auto matrices = args.tensors(0);
  if (matrices.empty()) return lowering.error(ErrorCode::kInvalidInput, "chain_matmul of no matrices");
  ValueId product = e.read(matrices[0]);
  for (size_t i = 1; i < matrices.size(); ++i) product = e.op("MatMul", {product, e.read(matrices[i])});
  return e.result(product);
}

// (input1, input2, weight [out, in1, in2], bias)
Result<Value> bilinear(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef weight = args.tensor(2);
  ValueId y = e.op("Einsum", {e.read(args.tensor(0)), e.read(weight), e.read(args.tensor(1))},
                   {{"equation", std::string("...i,oij,...j->...o")}});
  if (args.optional_tensor(3)) y = e.op("Add", {y, e.read(args.tensor(3))});
  return e.result(y);
}

/// The axes that are not in `taken`, in order.
std::vector<int64_t> other_axes(size_t rank, const std::vector<int64_t>& taken) {
  std::vector<int64_t> rest;
  for (int64_t axis = 0; axis < static_cast<int64_t>(rank); ++axis) {
    if (std::find(taken.begin(), taken.end(), axis) == taken.end()) rest.push_back(axis);
  }
  return rest;
}

Dims pick(const Dims& dims, const std::vector<int64_t>& axes) {
  Dims picked;
  for (const int64_t axis : axes) picked.push_back(dims[static_cast<size_t>(axis)]);
  return picked;
}

std::vector<int64_t> joined(std::vector<int64_t> a, const std::vector<int64_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// (self, other, dims_self, dims_other)
Result<Value> tensordot(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef a = args.tensor(0), b = args.tensor(1);
  LAN_TRY(const auto a_axes, axes_of(lowering, args.ints(2), a->dims.size()));
  LAN_TRY(const auto b_axes, axes_of(lowering, args.ints(3), b->dims.size()));
  const auto a_rest = other_axes(a->dims.size(), a_axes), b_rest = other_axes(b->dims.size(), b_axes);
  const Dims a_dims = pick(a->dims, a_rest), b_dims = pick(b->dims, b_rest);
  const Dim inner = product(pick(a->dims, a_axes));
  const ValueId left = e.reshape(e.transpose(e.read(a), joined(a_rest, a_axes)), {product(a_dims), inner});
  const ValueId right = e.reshape(e.transpose(e.read(b), joined(b_axes, b_rest)), {inner, product(b_dims)});
  Dims dims = a_dims;
  dims.insert(dims.end(), b_dims.begin(), b_dims.end());
  return e.result(e.reshape(e.op("MatMul", {left, right}), dims));
}

// The last dimensions are contracted.
Result<Value> inner(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef a = args.tensor(0), b = args.tensor(1);
  if (a->dims.empty() || b->dims.empty()) {
    return e.result(e.op("Mul", {e.read(a), e.read(b)}));
  }
  const size_t a_rank = a->dims.size(), b_rank = b->dims.size();
  const Dim width = a->dims.back();
  Dims dims(a->dims.begin(), a->dims.end() - 1);
  dims.insert(dims.end(), b->dims.begin(), b->dims.end() - 1);
  const ValueId left = e.reshape(e.read(a), {product(std::span(a->dims).first(a_rank - 1)), width});
  const ValueId right = e.reshape(e.read(b), {product(std::span(b->dims).first(b_rank - 1)), width});
  return e.result(e.reshape(e.op("MatMul", {left, e.transpose(right, {1, 0})}), dims));
}

// (equation, tensors, path): the path is only about speed
Result<Value> einsum(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  std::string equation = args.text(0);
  std::erase(equation, ' ');
  std::vector<Value> operands;
  for (const TensorRef& tensor : args.tensors(1)) operands.push_back(Value(tensor));
  const DType dtype = result_type(operands);
  std::vector<ValueId> inputs;
  for (const Value& operand : operands) inputs.push_back(e.operand(operand, dtype));
  return e.result(e.op("Einsum", std::move(inputs), {{"equation", std::move(equation)}}));
}

constexpr AtenRow kRows[] = {
    {"aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor", einsum},
    {"aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", linear},
    {"aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor", addmm},
    {"aten::addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor", add_matmul},
    {"aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
     add_matmul},
    {"aten::addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
     addbmm},
    {"aten::addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor", addr},
    {"aten::mm(Tensor self, Tensor mat2) -> Tensor", matmul},
    {"aten::bmm(Tensor self, Tensor mat2) -> Tensor", matmul},
    {"aten::matmul(Tensor self, Tensor other) -> Tensor", matmul},
    {"aten::linalg_matmul(Tensor self, Tensor other) -> Tensor", matmul},
    {"aten::mv(Tensor self, Tensor vec) -> Tensor", matmul},
    {"aten::dot(Tensor self, Tensor tensor) -> Tensor", matmul},
    {"aten::outer(Tensor self, Tensor vec2) -> Tensor", outer},
    {"aten::ger(Tensor self, Tensor vec2) -> Tensor", outer},
    {"aten::chain_matmul(Tensor[] matrices) -> Tensor", chain_matmul},
    {"aten::linalg_multi_dot(Tensor[] tensors) -> Tensor", chain_matmul},
    {"aten::bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor", bilinear},
    {"aten::tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor", tensordot},
    {"aten::inner(Tensor self, Tensor other) -> Tensor", inner},
};

}  // namespace

extern const std::span<const AtenRow> aten_linear = kRows;

}  // namespace lanthorn::script
