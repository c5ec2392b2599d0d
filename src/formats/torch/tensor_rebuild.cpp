#include "formats/torch/tensor_rebuild.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "formats/torch/legacy.h"
#include "formats/torch/numpy_objects.h"
#include "formats/torch/pickled_bytes.h"
#include "formats/torch/scalar_type.h"
#include "formats/torch/sparse.h"

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;

constexpr int kMaxDepth = 16;  // of tensors within tensors
constexpr size_t kMaxRank = 64;

enum class Function : uint8_t {
  kV1,
  kV2,
  kV3,
  kQuantized,
  kParameter,
  kFromType,
  kSparse,
  kMeta,
  kDeviceFromCpu,
};

struct Row {
  std::string_view name;
  Function function;
};

constexpr Row kFunctions[] = {
    {"torch._utils._rebuild_tensor", Function::kV1},
    {"torch._utils._rebuild_tensor_v2", Function::kV2},
    {"torch._utils._rebuild_tensor_v3", Function::kV3},
    {"torch._utils._rebuild_qtensor", Function::kQuantized},
    {"torch._utils._rebuild_parameter", Function::kParameter},
    {"torch._utils._rebuild_parameter_with_state", Function::kParameter},
    {"torch.nn.parameter.Parameter", Function::kParameter},
    {"torch.nn.Parameter", Function::kParameter},
    {"torch._tensor._rebuild_from_type_v2", Function::kFromType},
    {"torch.tensor._rebuild_from_type_v2", Function::kFromType},
    {"torch._tensor._rebuild_from_type", Function::kFromType},
    {"torch.tensor._rebuild_from_type", Function::kFromType},
    {"torch._utils._rebuild_sparse_tensor", Function::kSparse},
    {"torch._utils._rebuild_sparse_csr_tensor", Function::kSparse},
    {"torch._utils._rebuild_meta_tensor_no_storage", Function::kMeta},
    {"torch._utils._rebuild_device_tensor_from_cpu_tensor", Function::kDeviceFromCpu},
};

const Row* function_row(std::string_view name) {
  for (const Row& row : kFunctions) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace

Error TensorRebuilder::corrupt(PickleId id, std::string message) const {
  return Error{ErrorCode::kCorrupt, std::move(message), "byte " + std::to_string(tree_[id].offset)};
}

std::string_view TensorRebuilder::callee(PickleId call) const {
  const PickleNode& node = tree_[call];
  if (node.kind != Kind::kCall || tree_[node.callee].kind != Kind::kGlobal) return {};
  return tree_[node.callee].text;
}

Status TensorRebuilder::spend(uint64_t bytes, PickleId id) {
  if (bytes > budget_) {
    return Error{ErrorCode::kLimit,
                 "a tensor needs " + std::to_string(bytes) + " bytes of its own, more than is left",
                 "byte " + std::to_string(tree_[id].offset)};
  }
  budget_ -= bytes;
  return ok();
}

Result<int64_t> TensorRebuilder::integer(PickleId id) const {
  if (tree_[id].kind == Kind::kInt) return tree_[id].integer;
  return corrupt(id, "an integer of a tensor's description is none, or has more than 64 bits");
}

Result<Shape> TensorRebuilder::sizes(PickleId id) const {
  if (callee(id) == "torch.Size" && tree_[tree_[id].arguments].items.size() == 1) {
    id = tree_[tree_[id].arguments].items[0];
  }
  const PickleNode& node = tree_[id];
  if (node.kind != Kind::kTuple && node.kind != Kind::kList) {
    return corrupt(id, "the sizes or strides of a tensor are no tuple");
  }
  if (node.items.size() > kMaxRank) {
    return corrupt(id, "a tensor has " + std::to_string(node.items.size()) + " dimensions");
  }
  Shape shape;
  for (const PickleId item : node.items) {
    LAN_TRY(const int64_t size, integer(item));
    if (size < 0) return corrupt(item, "a size or stride of a tensor is negative");
    shape.push_back(size);
  }
  return shape;
}

bool TensorRebuilder::makes_tensor(PickleId call) const {
  const std::string_view name = callee(call);
  if (const Row* row = function_row(name)) {
    const auto& arguments = tree_[tree_[call].arguments].items;
    // A class that is no function of torch's makes a tensor only from one.
    if (row->function != Function::kParameter || name.starts_with("torch._utils.")) return true;
    return !arguments.empty() && makes_tensor(arguments[0]);
  }
  return tensor_class_dtype(name) && tree_[call].states.size() == 1 &&
         tree_[tree_[call].states[0]].kind == Kind::kTuple &&
         tree_[tree_[call].states[0]].items.size() >= 4;
}

bool TensorRebuilder::is_storage(PickleId id) const {
  return tree_[id].kind == Kind::kPersistent || callee(id) == "torch.storage._load_from_bytes";
}

Result<StorageView> TensorRebuilder::storage(PickleId id, int depth) {
  const PickleNode& node = tree_[id];
  if (node.kind == Kind::kPersistent) {
    LAN_TRY(const StorageId storage_id, read_storage_id(tree_, node.items[0]));
    auto found = source_.find(storage_id);
    if (!found) return std::move(found).error().at("byte " + std::to_string(node.offset));
    return found;
  }
  if (!is_storage(id)) return corrupt(id, "the storage of a tensor is none");
  const auto& arguments = tree_[node.arguments].items;
  if (arguments.size() != 1) return corrupt(id, "a nested storage has no bytes");
  if (const auto known = nested_.find(arguments[0]); known != nested_.end()) return known->second;
  if (tree_[arguments[0]].view.empty()) {
    // Short bytes and those of protocols below 3 are copied out of the tree, which goes away.
    const PickleNode& given = tree_[arguments[0]];
    const bool is_call = given.kind == Kind::kCall && !tree_[given.arguments].items.empty();
    LAN_OK(spend(is_call ? tree_[tree_[given.arguments].items[0]].text.size() : given.text.size(),
                 id));
  }
  const auto bytes = pickled_bytes(tree_, arguments[0], owner_);
  if (!bytes) return corrupt(id, "a nested storage has no bytes");
  auto nested = read_nested_storage(bytes->bytes, bytes->owner, depth + 1, budget_);
  if (!nested)
    return std::move(nested).error().at("nested file at byte " + std::to_string(node.offset));
  nested_.emplace(arguments[0], *nested);
  return nested;
}

/// Two or four values a byte without gaps, in a storage that has room for rows of whole bytes; one
/// value a byte here.
Result<Tensor> TensorRebuilder::unpack(const StorageView& storage, DType dtype, const Shape& shape,
                                       PickleId place) {
  const uint64_t per_byte = dtype == DType::kQU4x2 ? 2 : 4, bits = 8 / per_byte;
  const auto count = checked_product(shape, 1);
  if (!count) return corrupt(place, "the shape " + shape_text(shape) + " has no size");
  if (*count / per_byte + (*count % per_byte != 0) > storage.bytes) {
    return corrupt(place, "a packed tensor of shape " + shape_text(shape) +
                              " does not fit into its storage of " + std::to_string(storage.bytes) +
                              " bytes");
  }
  LAN_OK(spend(*count, place));
  LAN_TRY(Tensor tensor, Tensor::allocate(dtype, shape));
  const auto source = storage.storage->bytes().subspan(storage.offset, storage.bytes);
  const auto target = tensor.mutable_as<std::byte>();
  const auto mask = static_cast<std::byte>((1 << bits) - 1);
  for (uint64_t i = 0; i < *count; ++i) {
    target[i] = source[i / per_byte] >> static_cast<int>(bits * (i % per_byte)) & mask;
  }
  return tensor;
}

Result<Tensor> TensorRebuilder::view(const StorageView& storage, DType dtype, Shape shape,
                                     Shape strides, int64_t offset, PickleId place) {
  const uint64_t unit = dtype_bytes(dtype);
  uint64_t start = 0;
  if (offset < 0 || __builtin_mul_overflow(static_cast<uint64_t>(offset), unit, &start) ||
      start > storage.bytes) {
    return corrupt(place, "a tensor begins at element " + std::to_string(offset) +
                              ", outside its storage of " + std::to_string(storage.bytes) +
                              " bytes");
  }
  if (dtype == DType::kQU4x2 || dtype == DType::kQU2x4) return unpack(storage, dtype, shape, place);
  std::shared_ptr<const Storage> bytes = storage.storage;
  if (storage.big_endian && unit > 1) {
    auto& turned = turned_[{bytes.get(), dtype}];
    if (!turned) {
      const auto source = bytes->bytes();
      LAN_OK(spend(source.size(), place));
      LAN_TRY(const auto copy, Storage::allocate(source.size()));
      const auto target = copy->mutable_bytes();
      const size_t number = is_complex(dtype) ? unit / 2 : unit;
      for (size_t i = 0; i + number <= source.size(); i += number) {
        std::reverse_copy(source.begin() + static_cast<ptrdiff_t>(i),
                          source.begin() + static_cast<ptrdiff_t>(i + number),
                          target.begin() + static_cast<ptrdiff_t>(i));
      }
      turned = copy;
    }
    bytes = turned;
  }
  // The end of this storage may be inside a larger one, which Tensor::view cannot know.
  int64_t last = offset;
  const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  for (size_t i = 0; i < shape.size() && i < strides.size() && !empty; ++i) {
    int64_t reach = 0;
    if (__builtin_mul_overflow(shape[i] - 1, strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return corrupt(place, "the strides of a tensor pass 64 bits");
    }
  }
  if (!empty && static_cast<uint64_t>(last) >= storage.bytes / unit) {
    return corrupt(place, std::string(dtype_name(dtype)) + shape_text(shape) + " with strides " +
                              shape_text(strides) + " does not lie inside its storage of " +
                              std::to_string(storage.bytes) + " bytes");
  }
  auto made = Tensor::view(dtype, std::move(shape), std::move(strides), storage.offset + start,
                           std::move(bytes));
  if (!made) return std::move(made).error().at("byte " + std::to_string(tree_[place].offset));
  return made;
}

/// Conjugation and negation that PyTorch has not done yet, only noted (`{'conj': True}`). The
/// result keeps its strides.
Result<Tensor> TensorRebuilder::resolve_bits(Tensor tensor, PickleId metadata) {
  bool conjugate = false, negative = false;
  const auto& entries = tree_[metadata].entries;
  for (size_t i = 0; i + 1 < entries.size(); i += 2) {
    const bool on = tree_[entries[i + 1]].kind == Kind::kBool && tree_[entries[i + 1]].flag;
    conjugate = conjugate || (on && tree_[entries[i]].text == "conj");
    negative = negative || (on && tree_[entries[i]].text == "neg");
  }
  const DType dtype = tensor.dtype();
  conjugate = conjugate && is_complex(dtype);
  if ((!conjugate && !negative) || tensor.count() == 0) return tensor;
  if (!is_complex(dtype) && !is_floating(dtype)) {
    return corrupt(metadata, "a tensor of integers is marked as negated");
  }
  uint64_t elements = 1;
  for (size_t i = 0; i < tensor.rank(); ++i) {
    elements +=
        static_cast<uint64_t>(tensor.shape()[i] - 1) * static_cast<uint64_t>(tensor.strides()[i]);
  }
  const uint64_t unit = dtype_bytes(dtype), number = is_complex(dtype) ? unit / 2 : unit;
  LAN_OK(spend(elements * unit, metadata));
  LAN_TRY(const auto copy, Storage::allocate(elements * unit));
  const auto target = copy->mutable_bytes();
  std::memcpy(target.data(), tensor.storage()->bytes().data() + tensor.offset_bytes(),
              target.size());
  for (uint64_t at = 0; at < target.size(); at += number) {
    const bool imaginary = is_complex(dtype) && at % unit != 0;
    // The sign is the highest bit of every format here.
    if (negative != (conjugate && imaginary)) target[at + number - 1] ^= std::byte{0x80};
  }
  return Tensor::view(dtype, tensor.shape(), tensor.strides(), 0, copy);
}

Status TensorRebuilder::check_quantization(PickleId id, const Shape& shape) {
  const PickleNode& node = tree_[id];
  const auto& items = node.items;
  if (node.kind != Kind::kTuple || items.size() < 3 || tree_[items[0]].kind != Kind::kGlobal) {
    return corrupt(id, "a quantized tensor has no scheme, scale and zero point");
  }
  if (!tree_[items[0]].text.starts_with("torch.per_channel")) return ok();
  if (items.size() < 4) return corrupt(id, "a tensor quantized per channel has no axis");
  LAN_TRY(const int64_t axis, integer(items[3]));
  if (axis < 0 || static_cast<size_t>(axis) >= shape.size()) {
    return corrupt(id, "a tensor of " + std::to_string(shape.size()) +
                           " dimensions is quantized along dimension " + std::to_string(axis));
  }
  return ok();
}

/// _rebuild_tensor, _v2, _v3 and _rebuild_qtensor: a view of a storage.
Result<RebuiltTensor> TensorRebuilder::rebuild_strided(PickleId tuple, std::string_view name,
                                                       PickleId call, int depth) {
  const Function function = function_row(name)->function;
  const auto& arguments = tree_[tuple].items;
  const size_t needed = function == Function::kV1 ? 4 : function == Function::kV2 ? 6 : 7;
  if (arguments.size() < needed) {
    return corrupt(call, std::string(name) + " gets " + std::to_string(arguments.size()) +
                             " arguments in place of " + std::to_string(needed));
  }
  RebuiltTensor made;
  LAN_TRY(const StorageView bytes, storage(arguments[0], depth));
  LAN_TRY(const int64_t offset, integer(arguments[1]));
  LAN_TRY(Shape shape, sizes(arguments[2]));
  LAN_TRY(Shape strides, sizes(arguments[3]));
  DType dtype = bytes.dtype;
  if (function == Function::kV3) {
    const auto named = torch_dtype(tree_[arguments[6]].text);
    if (tree_[arguments[6]].kind != Kind::kGlobal || !named) {
      return corrupt(arguments[6], "the dtype of a tensor is none that is known");
    }
    dtype = *named;
  }
  if (function == Function::kQuantized) {
    LAN_OK(check_quantization(arguments[4], shape));
    made.parts = arguments[4];
  }
  const size_t grad = function == Function::kQuantized ? 5 : 4;
  if (function != Function::kV1) {
    made.requires_grad = tree_[arguments[grad]].kind == Kind::kBool && tree_[arguments[grad]].flag;
  }
  LAN_TRY(made.tensor, view(bytes, dtype, std::move(shape), std::move(strides), offset, call));
  if (arguments.size() > needed && tree_[arguments[needed]].kind == Kind::kDict) {
    LAN_TRY(made.tensor, resolve_bits(std::move(made.tensor), arguments[needed]));
  }
  return made;
}

/// Tensors of torch 0.1: an empty instance whose state is (storage, offset, sizes, strides).
Result<RebuiltTensor> TensorRebuilder::rebuild_old(PickleId call, int depth) {
  const auto& state = tree_[tree_[call].states[0]].items;
  LAN_TRY(const StorageView bytes, storage(state[0], depth));
  LAN_TRY(const int64_t offset, integer(state[1]));
  LAN_TRY(Shape shape, sizes(state[2]));
  LAN_TRY(Shape strides, sizes(state[3]));
  RebuiltTensor made;
  LAN_TRY(made.tensor,
          view(bytes, bytes.dtype, std::move(shape), std::move(strides), offset, call));
  return made;
}

Result<RebuiltTensor> TensorRebuilder::argument(PickleId call, size_t index, int depth) {
  const auto& arguments = tree_[tree_[call].arguments].items;
  if (index >= arguments.size() || !makes_tensor(arguments[index])) {
    return corrupt(call, "an argument that must be a tensor is none");
  }
  return rebuild(arguments[index], depth + 1);
}

Result<RebuiltTensor> TensorRebuilder::rebuild_sparse(PickleId call, int depth) {
  const auto& arguments = tree_[tree_[call].arguments].items;
  if (arguments.size() < 2 || tree_[arguments[1]].kind != Kind::kTuple) {
    return corrupt(call, "a sparse tensor has no layout and data");
  }
  SparseParts parts;
  const auto& layout =
      tree_[tree_[arguments[0]].kind == Kind::kCall ? tree_[arguments[0]].arguments : arguments[0]];
  parts.layout = layout.text;
  if (layout.items.size() == 1) parts.layout = tree_[layout.items[0]].text;
  if (parts.layout.starts_with("torch.")) parts.layout.erase(0, 6);
  const auto& data = tree_[arguments[1]].items;
  const size_t tensors = parts.layout == "sparse_coo" ? 2 : 3;
  if (data.size() <= tensors)
    return corrupt(arguments[1], "a sparse tensor lacks a part of its data");
  Tensor* const targets[] = {&parts.first, tensors == 2 ? &parts.values : &parts.second,
                             &parts.values};
  for (size_t i = 0; i < tensors; ++i) {
    if (!makes_tensor(data[i])) return corrupt(data[i], "a part of a sparse tensor is no tensor");
    LAN_TRY(const RebuiltTensor part, rebuild(data[i], depth + 1));
    if (!part.tensor.defined()) return corrupt(data[i], "a part of a sparse tensor has no data");
    LAN_OK(spend(part.tensor.byte_size(), data[i]));
    *targets[i] = part.tensor;
  }
  LAN_TRY(parts.shape, sizes(data[tensors]));
  const auto bytes = checked_product(parts.shape, dtype_bytes(parts.values.dtype()));
  if (!bytes) return corrupt(call, "a sparse tensor has no size that can be held");
  LAN_OK(spend(*bytes, call));
  RebuiltTensor made;
  made.type = parts.layout;
  made.parts = arguments[1];
  auto dense = densify(parts);
  if (!dense) return std::move(dense).error().at("byte " + std::to_string(tree_[call].offset));
  made.tensor = *std::move(dense);
  return made;
}

Result<RebuiltTensor> TensorRebuilder::rebuild(PickleId call, int depth) {
  if (depth > kMaxDepth) return corrupt(call, "tensors are nested too deep");
  if (const auto known = known_.find(call); known != known_.end()) return known->second;
  const PickleNode& node = tree_[call];
  const std::string_view name = callee(call);
  const Row* row = function_row(name);
  if (row != nullptr && !node.entries.empty()) {
    return corrupt(call, "an entry is set in a tensor, as if it were a dict");
  }
  if (row != nullptr && !node.items.empty()) {
    return corrupt(call, "an item is appended to a tensor, as if it were a list");
  }
  const auto& arguments = tree_[node.arguments].items;
  RebuiltTensor made;
  if (row == nullptr) {
    LAN_TRY(made, rebuild_old(call, depth));
  } else {
    switch (row->function) {
      case Function::kV1:
      case Function::kV2:
      case Function::kV3:
      case Function::kQuantized: {
        LAN_TRY(made, rebuild_strided(node.arguments, name, call, depth));
        break;
      }
      case Function::kParameter: {
        LAN_TRY(made, argument(call, 0, depth));
        if (arguments.size() > 1) made.requires_grad = tree_[arguments[1]].flag;
        if (arguments.size() > 3) made.state = arguments[3];
        if (made.type.empty()) made.type = "torch.nn.parameter.Parameter";
        break;
      }
      case Function::kDeviceFromCpu: {
        LAN_TRY(made, argument(call, 0, depth));
        break;
      }
      case Function::kFromType: {
        // (function, class, its arguments, state): the function is called with the arguments, which
        // is what a node of the tree would say too.
        if (arguments.size() < 3 || tree_[arguments[0]].kind != Kind::kGlobal ||
            tree_[arguments[2]].kind != Kind::kTuple) {
          return corrupt(call, "a tensor of a class of its own has no function and arguments");
        }
        const Row* inner = function_row(tree_[arguments[0]].text);
        if (inner == nullptr || inner->function > Function::kQuantized) break;
        LAN_TRY(made, rebuild_strided(arguments[2], tree_[arguments[0]].text, call, depth));
        made.type = tree_[arguments[1]].text;
        if (arguments.size() > 3) made.state = arguments[3];
        break;
      }
      case Function::kSparse: {
        LAN_TRY(made, rebuild_sparse(call, depth));
        break;
      }
      case Function::kMeta:
        break;
    }
  }
  known_.emplace(call, made);
  return made;
}

}  // namespace lanthorn
