#include "formats/torch/object_builder.h"

#include <algorithm>

#include "codec/byte_reader.h"
#include "formats/torch/numpy_objects.h"
#include "formats/torch/pickled_bytes.h"
#include "formats/torch/scalar_type.h"

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;

constexpr size_t kMaxNotes = 20;

/// A name without the module that Python 2 or 3 keeps built-in functions in; empty for others.
std::string_view builtin(std::string_view name) {
  for (const std::string_view start : {"builtins.", "__builtin__."}) {
    if (name.starts_with(start)) return name.substr(start.size());
  }
  return {};
}

}  // namespace

ObjectBuilder::ObjectBuilder(const PickleTree& tree, StorageSource& source,
                             std::shared_ptr<const void> owner, uint64_t budget)
    : tree_(tree),
      source_(source),
      owner_(owner),
      tensors_(tree, source, owner, budget),
      budget_(budget),
      of_pickle_(tree.nodes.size(), kNoObject) {}

ObjectId ObjectBuilder::add(Object object) {
  objects_.nodes.push_back(std::move(object));
  return static_cast<ObjectId>(objects_.nodes.size() - 1);
}

ObjectId ObjectBuilder::object_of(PickleId id) {
  if (id == kNoPickle) return kNoObject;
  if (of_pickle_[id] == kNoObject) {
    of_pickle_[id] = add({});
    waiting_.push_back(id);
  }
  return of_pickle_[id];
}

std::vector<ObjectId> ObjectBuilder::objects_of(const std::vector<PickleId>& ids) {
  std::vector<ObjectId> objects;
  objects.reserve(ids.size());
  for (const PickleId id : ids) objects.push_back(object_of(id));
  return objects;
}

Result<ObjectTree> ObjectBuilder::build() {
  objects_.root = object_of(tree_.root);
  uint64_t used = 0;
  while (!waiting_.empty()) {
    const PickleId id = waiting_.back();
    waiting_.pop_back();
    Object& object = objects_.nodes[of_pickle_[id]];
    LAN_OK(convert(id, object));
    used += sizeof(Object) + object.text.size() + object.items.size() * sizeof(ObjectId);
    // Other tensors view the file, or were paid for where they were made.
    if (object.kind == Object::Kind::kTensor && object.text == "numpy.ndarray") {
      used += object.tensor.byte_size();
    }
    if (used > budget_) {
      return Error{ErrorCode::kLimit, "the objects need more than " +
                                          std::to_string(budget_ >> 20) + " MiB of memory"};
    }
  }
  return std::move(objects_);
}

Status ObjectBuilder::convert(PickleId id, Object& object) {
  const PickleNode& node = tree_[id];
  switch (node.kind) {
    case Kind::kNone:
      return ok();
    case Kind::kBool:
      object.kind = Object::Kind::kBool;
      object.flag = node.flag;
      return ok();
    case Kind::kInt:
      object.kind = Object::Kind::kInt;
      object.integer = node.integer;
      return ok();
    case Kind::kBigInt:
      object.kind = Object::Kind::kBigInt;
      object.text = node.text;
      return ok();
    case Kind::kFloat:
      object.kind = Object::Kind::kFloat;
      object.real = node.real;
      return ok();
    case Kind::kString:
      object.kind = Object::Kind::kString;
      object.text = node.text;
      return ok();
    case Kind::kBytes:
    case Kind::kByteArray:
      object.kind = Object::Kind::kBytes;
      object.flag = node.kind == Kind::kByteArray;
      object.text = as_text(node.bytes());
      return ok();
    case Kind::kList:
      object.kind = Object::Kind::kList;
      object.items = objects_of(node.items);
      return ok();
    case Kind::kTuple:
      object.kind = Object::Kind::kTuple;
      object.items = objects_of(node.items);
      return ok();
    case Kind::kSet:
      object.kind = Object::Kind::kSet;
      object.items = objects_of(node.items);
      return ok();
    case Kind::kFrozenSet:
      object.kind = Object::Kind::kFrozenSet;
      object.items = objects_of(node.items);
      return ok();
    case Kind::kDict:
      object.kind = Object::Kind::kDict;
      object.items = objects_of(node.entries);
      return ok();
    case Kind::kGlobal:
      object.kind = torch_dtype(node.text) ? Object::Kind::kDType : Object::Kind::kGlobal;
      object.text = node.text;
      if (object.kind == Object::Kind::kDType) object.text.erase(0, 6);
      return ok();
    case Kind::kPersistent:
      return convert_persistent(id, object);
    case Kind::kExtension:
      object.kind = Object::Kind::kInstance;
      object.text = "copyreg.extension " + std::to_string(node.integer);
      return ok();
    case Kind::kBuffer:
      object.kind = Object::Kind::kInstance;
      object.text = "pickle.PickleBuffer";
      return ok();
    case Kind::kCall:
      return convert_call(id, object);
  }
  return ok();
}

Status ObjectBuilder::convert_persistent(PickleId id, Object& object) {
  const PickleNode& node = tree_[id];
  const PickleNode& name = tree_[node.items[0]];
  if (name.kind == Kind::kString) {
    if (const Tensor* tensor = source_.find_tensor(name.text)) {
      object.kind = Object::Kind::kTensor;
      object.tensor = *tensor;
      return ok();
    }
  }
  if (const std::string wrapped = class_name(id); !wrapped.empty()) {
    object.kind = Object::Kind::kGlobal;
    object.text = wrapped;
    return ok();
  }
  LAN_TRY(const StorageView storage, tensors_.storage(id));
  object.kind = Object::Kind::kInstance;
  object.text = "torch.storage.TypedStorage";
  return ok();
}

/// The name of a class or function: of a global, or of what the legacy stream wraps a class in,
/// ('module', class, file, source). Empty for others.
std::string ObjectBuilder::class_name(PickleId id) const {
  const PickleNode& node = tree_[id];
  if (node.kind == Kind::kGlobal) return node.text;
  if (node.kind != Kind::kPersistent) return {};
  const auto& parts = tree_[node.items[0]].items;
  if (parts.size() < 2 || tree_[parts[0]].text != "module" ||
      tree_[parts[1]].kind != Kind::kGlobal) {
    return {};
  }
  return tree_[parts[1]].text;
}

Result<bool> ObjectBuilder::convert_tensor(PickleId id, Object& object) {
  if (makes_numpy_array(tree_, id)) {
    LAN_TRY(auto array, numpy_array(tree_, id, owner_));
    if (!array) return false;
    object.kind = Object::Kind::kTensor;
    object.tensor = *std::move(array);
    object.text = "numpy.ndarray";
    return true;
  }
  if (makes_numpy_scalar(tree_, id)) {
    LAN_TRY(auto scalar, numpy_scalar(tree_, id, owner_));
    if (scalar) object = *std::move(scalar);
    return scalar.has_value();
  }
  if (!tensors_.makes_tensor(id)) return false;
  auto made = tensors_.rebuild(id);
  if (!made &&
      (made.error().code == ErrorCode::kUnsupported || made.error().code == ErrorCode::kLimit)) {
    if (notes_.size() < kMaxNotes)
      notes_.push_back("a tensor was left out: " + made.error().message);
    return false;
  }
  if (!made) return std::move(made).error();
  if (!made->tensor.defined()) {
    if (notes_.size() < kMaxNotes) {
      notes_.push_back("a tensor without data (meta, or a class of its own) is shown as an object");
    }
    return false;
  }
  object.kind = Object::Kind::kTensor;
  object.tensor = std::move(made->tensor);
  object.requires_grad = made->requires_grad;
  object.text = made->type;
  object.state = object_of(made->state);
  object.arguments = object_of(made->parts);
  return true;
}

/// dict-like and list-like classes of Python's library.
bool ObjectBuilder::convert_container(PickleId id, std::string_view name, Object& object) {
  const PickleNode& node = tree_[id];
  const auto& arguments = tree_[node.arguments].items;
  const std::string_view plain = builtin(name);
  if (name == "collections.OrderedDict" || name == "collections.Counter" ||
      name == "collections.defaultdict" || plain == "dict") {
    const size_t initial = name == "collections.defaultdict" ? 1 : 0;
    object.kind = Object::Kind::kDict;
    if (plain.empty()) object.text = name;
    if (arguments.size() > initial) {
      const PickleNode& given = tree_[arguments[initial]];
      for (const PickleId pair : given.items) {
        if (tree_[pair].items.size() != 2) return false;
        for (const PickleId part : tree_[pair].items) object.items.push_back(object_of(part));
      }
      for (const PickleId part : given.entries) object.items.push_back(object_of(part));
    }
    for (const PickleId part : node.entries) object.items.push_back(object_of(part));
    if (!node.states.empty()) object.state = object_of(node.states.back());
    return true;
  }
  const bool is_set = plain == "set" || plain == "frozenset";
  const bool is_list = plain == "list" || plain == "tuple" || name == "collections.deque";
  if (!is_set && !is_list && name != "torch.Size") return false;
  object.kind = plain == "set"         ? Object::Kind::kSet
                : plain == "frozenset" ? Object::Kind::kFrozenSet
                : plain == "tuple"     ? Object::Kind::kTuple
                : is_list              ? Object::Kind::kList
                                       : Object::Kind::kSize;
  if (name == "collections.deque") object.text = name;
  if (!arguments.empty()) object.items = objects_of(tree_[arguments[0]].items);
  for (const PickleId item : node.items) object.items.push_back(object_of(item));
  return true;
}

/// Calls that stand for a plain value.
bool ObjectBuilder::convert_plain(PickleId id, std::string_view name, Object& object) {
  const auto& arguments = tree_[tree_[id].arguments].items;
  if (name == "torch.device" && !arguments.empty() && tree_[arguments[0]].kind == Kind::kString) {
    object.kind = Object::Kind::kDevice;
    object.text = tree_[arguments[0]].text;
    if (arguments.size() > 1) object.text += ":" + std::to_string(tree_[arguments[1]].integer);
    return true;
  }
  if (builtin(name) == "complex" && arguments.size() == 2) {
    object.kind = Object::Kind::kComplex;
    object.real = tree_[arguments[0]].real;
    object.imaginary = tree_[arguments[1]].real;
    return true;
  }
  if (name == "_codecs.encode" || builtin(name) == "bytes" || builtin(name) == "bytearray") {
    const auto bytes = pickled_bytes(tree_, id, owner_);
    if (!bytes) return false;
    object.kind = Object::Kind::kBytes;
    object.flag = builtin(name) == "bytearray";
    object.text = as_text(bytes->bytes);
    return true;
  }
  return false;
}

void ObjectBuilder::convert_instance(PickleId id, Object& object) {
  const PickleNode& node = tree_[id];
  const auto& arguments = tree_[node.arguments].items;
  object.kind = Object::Kind::kInstance;
  object.text = class_name(node.callee);
  if (object.text.empty()) object.text = "<computed>";
  object.arguments = object_of(node.arguments);
  if (!node.states.empty()) object.state = object_of(node.states.back());
  // These make an object of the class that is their first argument.
  if ((object.text == "copy_reg._reconstructor" || object.text == "copyreg._reconstructor" ||
       object.text == "copyreg.__newobj__" || object.text == "copyreg.__newobj_ex__") &&
      !arguments.empty()) {
    if (const std::string made = class_name(arguments[0]); !made.empty()) object.text = made;
  }
  // (the instance's dict, source of imports): what torch.fx would run to make the module.
  if (object.text == "torch.fx.graph_module.reduce_graph_module" && !arguments.empty()) {
    object.text = "torch.fx.graph_module.GraphModule";
    object.state = object_of(arguments[0]);
    object.arguments = kNoObject;
  }
  object.items = objects_of(node.entries);
  if (!node.entries.empty()) return;
  for (size_t i = 0; i < node.items.size(); ++i) {
    Object index;
    index.kind = Object::Kind::kInt;
    index.integer = static_cast<int64_t>(i);
    object.items.push_back(add(std::move(index)));
    object.items.push_back(object_of(node.items[i]));
  }
}

Status ObjectBuilder::convert_call(PickleId id, Object& object) {
  LAN_TRY(const bool is_tensor, convert_tensor(id, object));
  if (is_tensor) return ok();
  const std::string_view name = callee_name(tree_, id);
  const auto& arguments = tree_[tree_[id].arguments].items;
  if (tensors_.is_storage(id)) {
    LAN_TRY(const StorageView storage, tensors_.storage(id));
    object.kind = Object::Kind::kInstance;
    object.text = "torch.storage.TypedStorage";
    return ok();
  }
  // What torch::pickle_save wraps typed lists and dicts in.
  if (name.starts_with("torch.jit._pickle.") && !arguments.empty() && arguments[0] < id) {
    const Kind inner = tree_[arguments[0]].kind;
    if (inner != Kind::kCall && inner != Kind::kPersistent) return convert(arguments[0], object);
  }
  if (convert_container(id, name, object)) return ok();
  object = Object();
  if (convert_plain(id, name, object)) return ok();
  convert_instance(id, object);
  return ok();
}

}  // namespace lanthorn
