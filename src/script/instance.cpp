#include "script/instance.h"

#include <unordered_map>

#include "script/evaluator.h"

namespace lanthorn::script {
namespace {

class Copier {
 public:
  Value copy(const Value& value) {
    if (const TensorRef tensor = value.tensor()) return Value(copy_tensor(tensor));
    if (const auto list = value.list()) {
      std::shared_ptr<List>& made = lists_[list.get()];
      if (!made) {
        made = std::make_shared<List>();
        const std::shared_ptr<List> out = made;  // the map may grow meanwhile
        out->element_type = list->element_type;
        for (const Value& item : list->items) out->items.push_back(copy(item));
        return Value(out);
      }
      return Value(made);
    }
    if (const auto tuple = value.tuple()) {
      std::shared_ptr<Tuple>& made = tuples_[tuple.get()];
      if (!made) {
        made = std::make_shared<Tuple>();
        const std::shared_ptr<Tuple> out = made;
        out->names = tuple->names;
        for (const Value& item : tuple->items) out->items.push_back(copy(item));
        return Value(out);
      }
      return Value(made);
    }
    if (const auto dict = value.dict()) {
      std::shared_ptr<Dict>& made = dicts_[dict.get()];
      if (!made) {
        made = std::make_shared<Dict>();
        const std::shared_ptr<Dict> out = made;
        out->key_type = dict->key_type;
        out->value_type = dict->value_type;
        for (const auto& [key, item] : dict->entries)
          out->entries.emplace_back(copy(key), copy(item));
        return Value(out);
      }
      return Value(made);
    }
    if (const auto object = value.object()) return Value(copy_object(object));
    return value;
  }

  std::shared_ptr<Object> copy_object(const std::shared_ptr<const Object>& object) {
    std::shared_ptr<Object>& made = objects_[object.get()];
    if (made) return made;
    made = std::make_shared<Object>();
    const std::shared_ptr<Object> out = made;
    out->type = object->type;
    out->attributes.reserve(object->attributes.size());
    for (const auto& [name, value] : object->attributes)
      out->attributes.emplace_back(name, copy(value));
    return out;
  }

 private:
  TensorRef copy_tensor(const TensorRef& tensor) {
    TensorRef& made = tensors_[tensor.get()];
    if (made) return made;
    std::shared_ptr<StorageRoot>& root = roots_[tensor->root.get()];
    if (!root) {
      root = std::make_shared<StorageRoot>();
      root->loaded = tensor->root->loaded;
      root->attribute = tensor->root->attribute;
    }
    auto out = std::make_shared<SymTensor>();
    out->root = root;
    out->dtype = tensor->dtype;
    out->dims = tensor->dims;
    out->wrapped_number = tensor->wrapped_number;
    made = out;
    return out;
  }

  std::unordered_map<const List*, std::shared_ptr<List>> lists_;
  std::unordered_map<const Tuple*, std::shared_ptr<Tuple>> tuples_;
  std::unordered_map<const Dict*, std::shared_ptr<Dict>> dicts_;
  std::unordered_map<const Object*, std::shared_ptr<Object>> objects_;
  std::unordered_map<const SymTensor*, TensorRef> tensors_;
  std::unordered_map<const StorageRoot*, std::shared_ptr<StorageRoot>> roots_;
};

/// What __setstate__ left in an object, with tensors of the scratch graph turned into loaded ones.
Result<Value> settle(GraphLowering& lowering, const Value& value, int depth) {
  if (depth > 50) return value;
  if (const TensorRef tensor = value.tensor()) {
    if (!tensor->base && tensor->root->current == kNoValue) return value;
    LAN_TRY(const ValueId id, lowering.read(tensor));
    const Tensor* known = lowering.known(id);
    if (!known)
      return lowering.error(ErrorCode::kUnsupported,
                            "a module's state is computed from what is not known");
    return Value(GraphLowering::loaded(*known, tensor->root->attribute));
  }
  if (const auto list = value.list()) {
    for (Value& item : list->items) {
      LAN_TRY(item, settle(lowering, item, depth + 1));
    }
  }
  if (const auto tuple = value.tuple()) {
    for (Value& item : tuple->items) {
      LAN_TRY(item, settle(lowering, item, depth + 1));
    }
  }
  if (const auto object = value.object(); object && depth < 2) {
    for (auto& [name, item] : object->attributes) {
      LAN_TRY(item, settle(lowering, item, depth + 1));
    }
  }
  return value;
}

}  // namespace

Instance instance_of(const Program& program) {
  Copier copier;
  Instance out;
  if (program.root) out.root = copier.copy_object(program.root);
  out.constants.reserve(program.constants.size());
  for (const Value& constant : program.constants) {
    Value value = copier.copy(constant);
    if (const TensorRef tensor = value.tensor(); tensor && tensor->dims.empty())
      tensor->wrapped_number = true;
    out.constants.push_back(std::move(value));
  }
  return out;
}

Status set_state(const ClassTable& classes, std::span<const Value> constants, int64_t version,
                 const std::shared_ptr<Object>& object, Value state) {
  GraphLowering lowering;
  Evaluator evaluator(classes, constants, version, lowering);
  LAN_OK(evaluator.call_method(object, "__setstate__", {{std::move(state)}, {}}));
  if (auto error = evaluator.unsupported()) return *std::move(error);
  for (auto& [name, value] : object->attributes) {
    LAN_TRY(value, settle(lowering, value, 0));
  }
  return ok();
}

}  // namespace lanthorn::script
