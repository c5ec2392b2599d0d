#include "formats/torch/numpy_objects.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "formats/torch/joblib.h"
#include "formats/torch/pickled_bytes.h"

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;

struct NumpyType {
  DType dtype = DType::kUndefined;
  bool big_endian = false;
};

struct Row {
  std::string_view code;
  DType dtype;
};

constexpr Row kTypes[] = {
    {"f2", DType::kF16}, {"f4", DType::kF32},   {"f8", DType::kF64}, {"i1", DType::kI8},
    {"i2", DType::kI16}, {"i4", DType::kI32},   {"i8", DType::kI64}, {"u1", DType::kU8},
    {"u2", DType::kU16}, {"u4", DType::kU32},   {"u8", DType::kU64}, {"b1", DType::kBool},
    {"c8", DType::kC64}, {"c16", DType::kC128},
};

/// The rest of a name behind "numpy.core." or "numpy._core."; empty for other names.
std::string_view numpy_core(std::string_view name) {
  for (const std::string_view start : {"numpy.core.", "numpy._core."}) {
    if (name.starts_with(start)) return name.substr(start.size());
  }
  return {};
}

/// numpy.dtype('f4', False, True) with the state (3, '<', ...).
NumpyType numpy_type(const PickleTree& tree, PickleId id) {
  NumpyType type;
  if (callee_name(tree, id) != "numpy.dtype") return type;
  const auto& arguments = tree[tree[id].arguments].items;
  if (arguments.empty()) return type;
  std::string_view code = tree[arguments[0]].text;
  if (!code.empty() && std::string_view("<>|=").find(code[0]) != std::string_view::npos) {
    type.big_endian = code[0] == '>';
    code.remove_prefix(1);
  }
  for (const Row& row : kTypes) {
    if (row.code == code) type.dtype = row.dtype;
  }
  for (const PickleId state : tree[id].states) {
    const auto& items = tree[state].items;
    if (items.size() > 1 && tree[items[1]].kind == Kind::kString) {
      type.big_endian = tree[items[1]].text == ">";
    }
  }
  return type;
}

void swap_numbers(std::span<std::byte> bytes, size_t unit) {
  for (size_t i = 0; i + unit <= bytes.size(); i += unit) {
    std::reverse(bytes.begin() + static_cast<ptrdiff_t>(i),
                 bytes.begin() + static_cast<ptrdiff_t>(i + unit));
  }
}

Error corrupt(const PickleNode& node, std::string message) {
  return Error{ErrorCode::kCorrupt, std::move(message), "byte " + std::to_string(node.offset)};
}

Result<std::optional<Tensor>> make_array(const PickleTree& tree, PickleId shape_id,
                                         PickleId type_id,
                                         const std::optional<PickledBytes>& data, bool fortran) {
  const NumpyType type = numpy_type(tree, type_id);
  if (type.dtype == DType::kUndefined || !data) return std::optional<Tensor>();
  const PickleNode& sizes = tree[shape_id];
  if (sizes.kind != Kind::kTuple || sizes.items.size() > 64) {
    return corrupt(sizes, "the shape of a NumPy array is no tuple");
  }
  Shape shape;
  for (const PickleId item : sizes.items) {
    if (tree[item].kind != Kind::kInt)
      return corrupt(sizes, "a size of a NumPy array is no integer");
    shape.push_back(tree[item].integer);
  }
  const size_t unit = dtype_bytes(type.dtype);
  const auto bytes = checked_product(shape, unit);
  if (!bytes || *bytes != data->bytes.size()) {
    return corrupt(sizes, "a NumPy array of shape " + shape_text(shape) + " has " +
                                      std::to_string(data->bytes.size()) + " bytes");
  }
  std::shared_ptr<const Storage> storage = Storage::wrap(data->bytes, data->owner);
  if (type.big_endian && unit > 1 && *bytes > 0) {
    LAN_TRY(const auto copy, Storage::allocate(*bytes));
    std::memcpy(copy->mutable_bytes().data(), data->bytes.data(), *bytes);
    swap_numbers(copy->mutable_bytes(), is_complex(type.dtype) ? unit / 2 : unit);
    storage = copy;
  }
  Shape strides = contiguous_strides(shape);
  if (fortran) {
    const Shape reversed(shape.rbegin(), shape.rend());
    strides = contiguous_strides(reversed);
    std::reverse(strides.begin(), strides.end());
  }
  LAN_TRY(Tensor tensor,
          Tensor::view(type.dtype, std::move(shape), std::move(strides), 0, storage));
  return std::optional<Tensor>(std::move(tensor));
}

}  // namespace

bool makes_numpy_array(const PickleTree& tree, PickleId call) {
  const std::string_view name = numpy_core(callee_name(tree, call));
  return name == "multiarray._reconstruct" || name == "numeric._frombuffer" ||
         joblib_array(tree, call, tree[call].view);
}

Result<std::optional<Tensor>> numpy_array(const PickleTree& tree, PickleId call,
                                          const std::shared_ptr<const void>& owner) {
  const PickleNode& node = tree[call];
  const auto& arguments = tree[node.arguments].items;
  if (numpy_core(callee_name(tree, call)) == "numeric._frombuffer") {
    if (arguments.size() < 3) return std::optional<Tensor>();
    const bool fortran = arguments.size() > 3 && tree[arguments[3]].text == "F";
    return make_array(tree, arguments[2], arguments[1], pickled_bytes(tree, arguments[0], owner),
                      fortran);
  }
  if (const auto array = joblib_array(tree, call, node.view)) {
    if (node.view.empty() || array->padding > node.view.size()) return std::optional<Tensor>();
    const PickledBytes data{node.view.subspan(array->padding), owner};
    return make_array(tree, array->shape, array->dtype, data, array->fortran);
  }
  if (node.states.empty()) return std::optional<Tensor>();
  // (version, shape, dtype, is Fortran's order, bytes); the oldest have no version.
  const auto& state = tree[node.states.back()].items;
  if (state.size() < 4) return std::optional<Tensor>();
  const size_t first = state.size() - 4;
  return make_array(tree, state[first], state[first + 1],
                    pickled_bytes(tree, state[first + 3], owner),
                    tree[state[first + 2]].flag || tree[state[first + 2]].integer == 1);
}

bool makes_numpy_scalar(const PickleTree& tree, PickleId call) {
  return numpy_core(callee_name(tree, call)) == "multiarray.scalar";
}

Result<std::optional<Object>> numpy_scalar(const PickleTree& tree, PickleId call,
                                           const std::shared_ptr<const void>& owner) {
  const auto& arguments = tree[tree[call].arguments].items;
  if (arguments.size() != 2) return std::optional<Object>();
  const NumpyType type = numpy_type(tree, arguments[0]);
  const auto data = pickled_bytes(tree, arguments[1], owner);
  if (type.dtype == DType::kUndefined || !data) return std::optional<Object>();
  if (data->bytes.size() != dtype_bytes(type.dtype)) {
    return corrupt(tree[call],
                   "a NumPy scalar has " + std::to_string(data->bytes.size()) + " bytes");
  }
  std::byte bytes[16];
  std::memcpy(bytes, data->bytes.data(), data->bytes.size());
  const std::span used(bytes, data->bytes.size());
  if (type.big_endian) swap_numbers(used, is_complex(type.dtype) ? used.size() / 2 : used.size());
  LAN_TRY(const Tensor scalar, Tensor::wrap(type.dtype, {}, used, nullptr));
  Object object;
  object.text = "numpy." + std::string(dtype_name(type.dtype));
  if (is_complex(type.dtype)) {
    LAN_TRY(const Tensor wide, scalar.cast(DType::kC128));
    object.kind = Object::Kind::kComplex;
    std::memcpy(&object.real, wide.data(), sizeof(double));
    std::memcpy(&object.imaginary, wide.data() + sizeof(double), sizeof(double));
    return std::optional<Object>(std::move(object));
  }
  if (is_floating(type.dtype)) {
    LAN_TRY(const Tensor wide, scalar.cast(DType::kF64));
    object.kind = Object::Kind::kFloat;
    object.real = wide.as<double>()[0];
    return std::optional<Object>(std::move(object));
  }
  LAN_TRY(const Tensor wide, scalar.cast(DType::kI64));
  object.kind = type.dtype == DType::kBool ? Object::Kind::kBool : Object::Kind::kInt;
  object.integer = wide.as<int64_t>()[0];
  object.flag = object.integer != 0;
  return std::optional<Object>(std::move(object));
}

}  // namespace lanthorn
