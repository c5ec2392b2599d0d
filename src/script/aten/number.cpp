// Between tensors and numbers, and what is known of a tensor without its elements.
#include "script/aten/views_shared.h"
#include "script/observe.h"

namespace lanthorn::script {
namespace {

/// A tensor's only element as a known number, where it is told.
Result<std::optional<double>> constant_number(Lowering& lowering, ValueId value) {
  using Answer = std::optional<double>;
  LAN_TRY(const Tensor* known, observed(lowering, value));
  if (!known || known->count() != 1) return Answer();
  LAN_TRY(const Tensor plain, known->contiguous());
  if (const auto numbers = plain.to_doubles()) return Answer((*numbers)[0]);
  if (const auto ints = plain.to_ints()) return Answer(static_cast<double>((*ints)[0]));
  return Answer();
}

Result<Value> integer(Lowering& lowering, const TensorRef& x) {
  if (const auto elements = elements_of(lowering, Value(x)); elements && elements->size() == 1) return Value((*elements)[0]);
  Emitter e(lowering);
  const ValueId value = e.read(x, DType::kI64);  // truncates
  if (e.failed()) return e.error();
  LAN_TRY(Dim number, lowering.integer_of(e.tensor(value)));
  return Value(std::move(number));
}

Result<Value> real(Lowering& lowering, const TensorRef& x) {
  if (const auto elements = elements_of(lowering, Value(x)); elements && elements->size() == 1) {
    LAN_TRY(const int64_t number, lowering.concrete((*elements)[0]));
    return Value::of_double(static_cast<double>(number));
  }
  LAN_TRY(const ValueId value, lowering.read(x));
  LAN_TRY(const auto number, constant_number(lowering, value));
  if (number) return Value::of_double(*number);
  return lowering.error(ErrorCode::kUnsupported, "a number of the program depends on the elements of a tensor");
}

Result<Value> truth(Lowering& lowering, const TensorRef& x) {
  if (!is_floating(x->dtype)) {
    LAN_TRY(const Value value, integer(lowering, x));
    LAN_TRY(const bool zero, lowering.equal(*value.integer(), Dim(0)));
    return Value::of_bool(!zero);
  }
  LAN_TRY(const ValueId value, lowering.read(x));
  LAN_TRY(const auto number, constant_number(lowering, value));
  if (number) return Value::of_bool(*number != 0);
  LAN_TRY(const ValueId flag, cast(lowering, value, DType::kBool));
  return truth(lowering, lowering.tensor(flag));
}

Result<Value> Int(Lowering& lowering, const Args& args) { return integer(lowering, args.tensor(0)); }
Result<Value> Float(Lowering& lowering, const Args& args) { return real(lowering, args.tensor(0)); }
Result<Value> Bool(Lowering& lowering, const Args& args) { return truth(lowering, args.tensor(0)); }

Result<Value> item(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  if (x->dtype == DType::kBool) return truth(lowering, x);
  return is_floating(x->dtype) ? real(lowering, x) : integer(lowering, x);
}

Result<Value> num_to_tensor(Lowering& lowering, const Args& args) {
  const Value& number = args[0];
  if (const Dim* dim = number.integer()) {
    LAN_TRY(TensorRef tensor, sized_tensor(lowering, {*dim}, {}));
    return Value(std::move(tensor));
  }
  if (const bool* flag = number.flag()) return Value(lowering.literal(Tensor::scalar_bool(*flag)));
  if (const double* real = number.real()) {
    return Value(lowering.literal(Tensor::of<double>(DType::kF64, {}, std::span(real, 1))));
  }
  if (number.tensor()) return number;
  return lowering.error(ErrorCode::kUnsupported, "a complex number as a tensor");
}

Result<Value> size(Lowering&, const Args& args) {
  std::vector<Value> sizes;
  for (const Dim& dim : args.tensor(0)->dims) sizes.push_back(Value(dim));
  return make_list(std::move(sizes), "int");
}

Result<Value> size_of_dim(Lowering& lowering, const Args& args) {
  const TensorRef x = args.tensor(0);
  if (x->dims.empty()) return lowering.error(ErrorCode::kInvalidInput, "a 0-d tensor has no dimension");
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), x->dims.size()));
  return Value(x->dims[static_cast<size_t>(axis)]);
}

Result<Value> numel(Lowering&, const Args& args) { return Value(product(args.tensor(0)->dims)); }
Result<Value> dim(Lowering&, const Args& args) {
  return Value(Dim(static_cast<int64_t>(args.tensor(0)->dims.size())));
}

Result<Value> len(Lowering& lowering, const Args& args) {
  if (args.tensor(0)->dims.empty()) return lowering.error(ErrorCode::kInvalidInput, "len() of a 0-d tensor");
  return Value(args.tensor(0)->dims[0]);
}

Dims contiguous_dims(const Dims& dims) {
  Dims strides(dims.size(), Dim(1));
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

/// Only contiguous tensors have strides that are known here.
Result<Value> stride(Lowering& lowering, const Args& args) {
  if (!is_contiguous(*args.tensor(0))) {
    return lowering.error(ErrorCode::kUnsupported, "the strides of a tensor that is not contiguous");
  }
  std::vector<Value> strides;
  for (const Dim& dim : contiguous_dims(args.tensor(0)->dims)) strides.push_back(Value(dim));
  return make_list(std::move(strides), "int");
}

Result<Value> stride_of_dim(Lowering& lowering, const Args& args) {
  LAN_TRY(const Value all, stride(lowering, args));
  LAN_TRY(const int64_t axis, axis_of(lowering, args.integer(1), args.tensor(0)->dims.size()));
  return all.list()->items.at(static_cast<size_t>(axis));
}

Result<Value> contiguous(Lowering&, const Args& args) { return Value::of_bool(is_contiguous(*args.tensor(0))); }

Result<Value> shape_as_tensor(Lowering& lowering, const Args& args) {
  const Dims& dims = args.tensor(0)->dims;
  LAN_TRY(TensorRef tensor, sized_tensor(lowering, dims, {Dim(static_cast<int64_t>(dims.size()))}));
  return Value(std::move(tensor));
}

Result<Value> floating(Lowering&, const Args& args) { return Value::of_bool(is_floating(args.tensor(0)->dtype)); }
Result<Value> complex(Lowering&, const Args& args) { return Value::of_bool(is_complex(args.tensor(0)->dtype)); }

Result<Value> is_signed(Lowering&, const Args& args) {
  const DType dtype = args.tensor(0)->dtype;
  const bool none = dtype == DType::kBool || dtype == DType::kU8 || dtype == DType::kU16 ||
                    dtype == DType::kU32 || dtype == DType::kU64;
  return Value::of_bool(!none);
}

Result<Value> element_size(Lowering&, const Args& args) {
  return Value(Dim(static_cast<int64_t>(dtype_bytes(args.tensor(0)->dtype))));
}

Result<Value> no(Lowering&, const Args&) { return Value::of_bool(false); }
Result<Value> cpu_index(Lowering&, const Args&) { return Value(Dim(-1)); }

Result<Value> same_size(Lowering& lowering, const Args& args) {
  const Dims &a = args.tensor(0)->dims, &b = args.tensor(1)->dims;
  if (a.size() != b.size()) return Value::of_bool(false);
  for (size_t i = 0; i < a.size(); ++i) {
    LAN_TRY(const bool same, lowering.equal(a[i], b[i]));
    if (!same) return Value::of_bool(false);
  }
  return Value::of_bool(true);
}

Result<Value> infer_size(Lowering& lowering, const Args& args) {
  LAN_TRY(const Dims dims, broadcast_dims(lowering, args.ints(0), args.ints(1)));
  std::vector<Value> sizes;
  for (const Dim& dim : dims) sizes.push_back(Value(dim));
  return make_list(std::move(sizes), "int");
}

Result<Value> type_of_both(Lowering&, const Args& args) {
  return Value(Dim(scalar_type_of(result_type(std::vector<Value>{args[0], args[1]}))));
}

constexpr AtenRow kRows[] = {
    {"prim::NumToTensor.Scalar(Scalar a) -> Tensor", num_to_tensor},
    {"prim::NumToTensor.bool(bool a) -> Tensor", num_to_tensor},
    {"aten::Int.Tensor(Tensor a) -> int", Int},
    {"aten::IntImplicit(Tensor a) -> int", Int},
    {"aten::Float.Tensor(Tensor a) -> float", Float},
    {"aten::FloatImplicit(Tensor a) -> float", Float},
    {"aten::Bool.Tensor(Tensor a) -> bool", Bool},
    {"aten::is_nonzero(Tensor self) -> bool", Bool},
    {"aten::ScalarImplicit(Tensor a) -> Scalar", item},
    {"aten::item(Tensor self) -> Scalar", item},
    {"aten::_local_scalar_dense(Tensor self) -> Scalar", item},
    {"aten::size(Tensor self) -> int[]", size},
    {"aten::size.int(Tensor self, int dim) -> int", size_of_dim},
    {"aten::sym_size(Tensor self) -> SymInt[]", size},
    {"aten::sym_size.int(Tensor self, int dim) -> SymInt", size_of_dim},
    {"aten::numel(Tensor self) -> int", numel},
    {"aten::sym_numel(Tensor self) -> SymInt", numel},
    {"aten::dim(Tensor self) -> int", dim},
    {"aten::len.Tensor(Tensor t) -> int", len},
    {"aten::stride(Tensor self) -> int[]", stride},
    {"aten::stride.int(Tensor self, int dim) -> int", stride_of_dim},
    {"aten::is_contiguous(Tensor self) -> bool", contiguous},
    {"aten::is_contiguous.memory_format(Tensor self, MemoryFormat memory_format) -> bool", contiguous},
    {"aten::_shape_as_tensor(Tensor self) -> Tensor", shape_as_tensor},
    {"aten::is_floating_point(Tensor self) -> bool", floating},
    {"aten::is_complex(Tensor self) -> bool", complex},
    {"aten::is_signed(Tensor self) -> bool", is_signed},
    {"aten::is_inference(Tensor self) -> bool", no},
    {"aten::is_conj(Tensor self) -> bool", no},
    {"aten::is_neg(Tensor self) -> bool", no},
    {"aten::is_pinned(Tensor self, Device? device=None) -> bool", no},
    {"aten::get_device(Tensor self) -> int", cpu_index},
    {"aten::element_size(Tensor self) -> int", element_size},
    {"aten::is_same_size(Tensor self, Tensor other) -> bool", same_size},
    {"aten::_infer_size(int[] a, int[] b) -> int[]", infer_size},
    {"aten::broadcast_shapes(int[] a, int[] b) -> int[]", infer_size},
    {"aten::result_type.Tensor(Tensor tensor, Tensor other) -> ScalarType", type_of_both},
    {"aten::result_type.Scalar(Tensor tensor, Scalar other) -> ScalarType", type_of_both},
    {"aten::result_type.Scalar_Tensor(Scalar scalar, Tensor tensor) -> ScalarType", type_of_both},
    {"aten::result_type.Scalar_Scalar(Scalar scalar1, Scalar scalar2) -> ScalarType", type_of_both},
};

}  // namespace

extern const std::span<const AtenRow> aten_number = kRows;

}  // namespace lanthorn::script
