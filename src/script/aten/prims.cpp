// What a program asks about a tensor's kind, about where it runs, and what means nothing here:
// gradients, autocast, devices, threads.
#include "script/aten/numbers_shared.h"
#include "script/observe.h"

namespace lanthorn::script {
namespace {

Result<Value> dtype(Lowering&, const Args& args) {
  return Value(Dim(scalar_type_of(args.tensor(0)->dtype)));
}
Result<Value> device(Lowering&, const Args&) { return Value(Device{"cpu"}); }
Result<Value> device_of(Lowering&, const Args& args) { return Value(Device{args.text(0)}); }
Result<Value> zero(Lowering&, const Args&) { return Value(Dim(0)); }
Result<Value> one(Lowering&, const Args&) { return Value(Dim(1)); }
Result<Value> yes(Lowering&, const Args&) { return Value::of_bool(true); }
Result<Value> no(Lowering&, const Args&) { return Value::of_bool(false); }
Result<Value> none(Lowering&, const Args&) { return Value(None{}); }
Result<Value> self(Lowering&, const Args& args) { return args[0]; }
Result<Value> minus_one(Lowering&, const Args&) { return Value(Dim(-1)); }

Result<Value> shape(Lowering&, const Args& args) { return make_ints(args.tensor(0)->dims); }
Result<Value> item_size(Lowering&, const Args& args) {
  return Value(Dim(static_cast<int64_t>(dtype_bytes(args.tensor(0)->dtype))));
}
Result<Value> is_quantized(Lowering&, const Args& args) {
  const DType type = args.tensor(0)->dtype;
  return Value::of_bool(type == DType::kQI8 || type == DType::kQU8 || type == DType::kQI32);
}
Result<Value> device_type(Lowering&, const Args& args) {
  const std::string& name = args[0].device() ? args[0].device()->name : args.text(0);
  return Value(name.substr(0, name.find(':')));
}

Result<Value> unwrap(Lowering& lowering, const Args& args) {
  if (args.is_none(0))
    return lowering.error(ErrorCode::kInvalidInput,
                          "the program takes the value of an optional that is None");
  return args[0];
}

/// The elements of a tensor as nested lists, where they are known.
Result<Value> to_list(Lowering& lowering, const Args& args) {
  const TensorRef tensor = args.tensor(0);
  std::vector<Value> flat;
  if (const auto elements = lowering.elements(tensor)) {
    for (const Dim& element : *elements) {
      flat.push_back(tensor->dtype == DType::kBool && element.is_known()
                         ? Value::of_bool(element.value() != 0)
                         : Value(element));
    }
  } else {
    LAN_TRY(const ValueId value, lowering.read(tensor));
    LAN_TRY(const Tensor* known, observed(lowering, value));
    const auto reals = known ? known->to_doubles() : std::nullopt;
    if (!reals || reals->size() > 100'000) {
      return lowering.error(ErrorCode::kUnsupported,
                            "a list of the elements of a tensor that depend on data");
    }
    for (const double real : *reals) {
      if (is_floating(tensor->dtype)) {
        flat.push_back(Value::of_double(real));
      } else {
        flat.push_back(Value(Dim(static_cast<int64_t>(real))));
      }
    }
  }
  if (tensor->dims.empty()) return flat.empty() ? Value(None{}) : flat[0];
  LAN_TRY(const std::vector<int64_t> dims, lowering.concrete(tensor->dims));
  for (size_t axis = dims.size(); axis-- > 1;) {  // the innermost lists first
    std::vector<Value> rows;
    const size_t width = static_cast<size_t>(dims[axis]);
    for (size_t i = 0; width > 0 && i + width <= flat.size(); i += width) {
      rows.push_back(make_list({flat.begin() + static_cast<ptrdiff_t>(i),
                                flat.begin() + static_cast<ptrdiff_t>(i + width)}));
    }
    flat = std::move(rows);
  }
  return make_list(std::move(flat));
}

Result<Value> not_of(Lowering&, const Args& args) { return Value::of_bool(!args.flag(0)); }

constexpr AtenRow kRows[] = {
    {"prim::dtype(Tensor a) -> int", dtype},
    {"prim::device(Tensor a) -> Device", device},
    {"aten::device(str a) -> Device", device_of},
    {"aten::device.with_index(str type, int index) -> Device", device_of},
    {"prim::type(Device self) -> str", device_type},
    {"prim::layout(Tensor a) -> int", zero},
    {"prim::shape(Tensor a) -> int[]", shape},
    {"prim::data(Tensor a) -> Tensor", self},
    {"prim::grad(Tensor a) -> Tensor?", none},
    {"prim::name(Tensor a) -> str?", none},
    {"prim::index(Device self) -> int?", none},
    {"prim::itemsize(Tensor a) -> int", item_size},
    {"prim::requires_grad(Tensor a) -> bool", no},
    {"prim::is_leaf(Tensor a) -> bool", yes},
    {"prim::is_cpu(Tensor a) -> bool", yes},
    {"prim::is_cuda(Tensor a) -> bool", no},
    {"prim::is_xpu(Tensor a) -> bool", no},
    {"prim::is_ipu(Tensor a) -> bool", no},
    {"prim::is_xla(Tensor a) -> bool", no},
    {"prim::is_mps(Tensor a) -> bool", no},
    {"prim::is_hpu(Tensor a) -> bool", no},
    {"prim::is_maia(Tensor a) -> bool", no},
    {"prim::is_mtia(Tensor a) -> bool", no},
    {"prim::is_ort(Tensor a) -> bool", no},
    {"prim::is_vulkan(Tensor a) -> bool", no},
    {"prim::is_metal(Tensor a) -> bool", no},
    {"prim::is_meta(Tensor a) -> bool", no},
    {"prim::is_sparse(Tensor a) -> bool", no},
    {"prim::is_sparse_csr(Tensor a) -> bool", no},
    {"prim::is_mkldnn(Tensor a) -> bool", no},
    {"prim::is_nested(Tensor a) -> bool", no},
    {"prim::is_quantized(Tensor a) -> bool", is_quantized},
    {"aten::is_cuda(Tensor self) -> bool", no},
    {"prim::unchecked_unwrap_optional(t? optional) -> t", unwrap},
    {"aten::_unwrap_optional(t? optional) -> t", unwrap},
    {"prim::unchecked_cast(t x) -> t", self},
    {"prim::tolist(Tensor a) -> t", to_list},
    {"aten::tolist(Tensor a) -> t", to_list},
    {"aten::__not__.bool(bool self) -> bool", not_of},
    {"aten::is_grad_enabled() -> bool", no},
    {"aten::set_grad_enabled(bool val) -> ()", none},
    {"aten::is_autocast_enabled() -> bool", no},
    {"aten::is_autocast_cpu_enabled() -> bool", no},
    {"prim::is_autocast_enabled() -> bool", no},
    {"prim::is_autocast_cpu_enabled() -> bool", no},
    {"aten::is_scripting() -> bool", yes},
    {"aten::is_inference_mode_enabled() -> bool", yes},
    {"aten::_get_tracing_state() -> bool", no},
    {"aten::get_num_threads() -> int", one},
    {"aten::manual_seed(int seed) -> ()", none},
    {"aten::get_autocast_dtype(str device) -> int", minus_one},
    {"aten::_assert_async(Tensor self) -> ()", none},
    {"aten::_assert_async.msg(Tensor self, str assert_msg) -> ()", none},
    {"aten::_assert_scalar(Scalar self, str assert_msg) -> ()", none},
    {"aten::_assert_tensor_metadata(Tensor a, int[]? size=None, int[]? stride=None, ScalarType? "
     "dtype=None, *, Device? device=None, Layout? layout=None) -> ()",
     none},
    {"aten::sym_constrain_range(Scalar size, *, int? min=None, int? max=None) -> ()", none},
    {"aten::sym_constrain_range_for_size(Scalar size, *, int? min=None, int? max=None) -> ()",
     none},
};

}  // namespace

extern constinit const std::span<const AtenRow> aten_prims = kRows;

}  // namespace lanthorn::script
