#include "formats/torch/object_pickler.h"

#include <algorithm>
#include <charconv>

namespace lanthorn {
namespace {

using Kind = Object::Kind;

constexpr int kMaxDepth = 1600;
constexpr size_t kBatch = 1000;  // of CPython's pickler

/// UTF-8 of bytes taken as Latin-1, which is how protocol 2 holds bytes.
std::string latin1_text(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 2);
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | byte >> 6);
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

}  // namespace

Result<std::string> ObjectPickler::pickle() {
  LAN_OK(save(tree_.root));
  return writer_.finish();
}

Status ObjectPickler::save(ObjectId id) {
  if (id == kNoObject) {
    writer_.none();
    return ok();
  }
  if (memo_[id] != kNoMemo) {
    writer_.get(memo_[id]);
    return ok();
  }
  if (depth_ >= kMaxDepth) return Error{ErrorCode::kLimit, "the objects are nested too deep"};
  ++depth_;
  auto status = save_new(id);
  --depth_;
  return status;
}

Status ObjectPickler::save_new(ObjectId id) {
  const Object& object = tree_[id];
  switch (object.kind) {
    case Kind::kNone:
      writer_.none();
      return ok();
    case Kind::kBool:
      writer_.boolean(object.flag);
      return ok();
    case Kind::kInt:
      writer_.integer(object.integer);
      return ok();
    case Kind::kBigInt:
      writer_.big_integer(object.text);
      return ok();
    case Kind::kFloat:
      writer_.real(object.real);
      return ok();
    case Kind::kComplex:
      writer_.global("__builtin__", "complex");
      writer_.real(object.real);
      writer_.real(object.imaginary);
      writer_.close_tuple(2);
      writer_.put();
      writer_.op('R');
      remember(id);
      return ok();
    case Kind::kString:
      writer_.text(object.text);
      remember(id);
      return ok();
    case Kind::kBytes:
      save_bytes(id);
      return ok();
    case Kind::kList:
      return save_list(id);
    case Kind::kTuple:
      return save_tuple(id);
    case Kind::kSet:
    case Kind::kFrozenSet:
      return save_set(id);
    case Kind::kDict:
      return save_dict(id);
    case Kind::kTensor:
      return save_tensor(id);
    case Kind::kSize:
      return save_size(id);
    case Kind::kDevice:
      save_device(id);
      return ok();
    case Kind::kDType:
      writer_.global("torch", object.text);
      return ok();
    case Kind::kGlobal:
    case Kind::kInstance:
      break;
  }
  return Error{ErrorCode::kUnsupported, "an object of class " + object.text + " cannot be written"};
}

Status ObjectPickler::save_items(const std::vector<ObjectId>& items) {
  if (items.size() == 1) {
    LAN_OK(save(items[0]));
    writer_.op('a');
    return ok();
  }
  for (size_t begin = 0; begin < items.size(); begin += kBatch) {
    writer_.op('(');
    const size_t end = std::min(begin + kBatch, items.size());
    for (size_t i = begin; i < end; ++i) LAN_OK(save(items[i]));
    writer_.op('e');
  }
  return ok();
}

Status ObjectPickler::save_list(ObjectId id) {
  writer_.op(']');
  remember(id);
  return save_items(tree_[id].items);
}

Status ObjectPickler::save_tuple(ObjectId id) {
  const auto& items = tree_[id].items;
  if (items.size() > 3) writer_.op('(');
  for (const ObjectId item : items) LAN_OK(save(item));
  if (memo_[id] != kNoMemo) {
    return Error{ErrorCode::kUnsupported, "a tuple that holds itself cannot be written"};
  }
  writer_.close_tuple(items.size());
  if (!items.empty()) remember(id);
  return ok();
}

Status ObjectPickler::save_entry(const std::vector<ObjectId>& entries, size_t index) {
  LAN_OK(save(entries[2 * index]));
  return save(entries[2 * index + 1]);
}

/// CPython writes a dict in batches of 1000, and after a full one another, even an empty one; a
/// class of dict by its iterator, where a last batch of one has the opcode for one.
Status ObjectPickler::save_entries(const std::vector<ObjectId>& entries, bool of_plain_dict) {
  const size_t count = entries.size() / 2;
  if (count == 0) return ok();
  for (size_t begin = 0; begin <= count; begin += kBatch) {
    const size_t size = std::min(kBatch, count - begin);
    const bool single = size == 1 && (!of_plain_dict || count == 1);
    if (size == 0 && !of_plain_dict) break;
    if (!single) writer_.op('(');
    for (size_t i = begin; i < begin + size; ++i) LAN_OK(save_entry(entries, i));
    writer_.op(single ? 's' : 'u');
    if (size < kBatch) break;
  }
  return ok();
}

Status ObjectPickler::save_dict(ObjectId id) {
  const Object& object = tree_[id];
  if (object.text == "collections.Counter") {
    writer_.global("collections", "Counter");
    writer_.op('}');
    writer_.put();
    LAN_OK(save_entries(object.items, true));
    writer_.close_tuple(1);
    writer_.put();
    writer_.op('R');
    remember(id);
    return ok();
  }
  if (object.text != "collections.OrderedDict") {
    writer_.op('}');
    remember(id);
    return save_entries(object.items, true);
  }
  writer_.global("collections", "OrderedDict");
  writer_.op(')');
  writer_.op('R');
  remember(id);
  LAN_OK(save_entries(object.items, false));
  if (object.state == kNoObject) return ok();
  LAN_OK(save(object.state));
  writer_.op('b');
  return ok();
}

Status ObjectPickler::save_set(ObjectId id) {
  const Object& object = tree_[id];
  writer_.global("__builtin__", object.kind == Kind::kSet ? "set" : "frozenset");
  writer_.op(']');
  writer_.put();
  LAN_OK(save_items(object.items));
  writer_.close_tuple(1);
  writer_.put();
  writer_.op('R');
  remember(id);
  return ok();
}

/// As CPython's pickler does, but for bytes that are empty: it calls `bytes`, which weights_only
/// refuses.
void ObjectPickler::save_bytes(ObjectId id) {
  const std::string& bytes = tree_[id].text;
  const bool is_array = tree_[id].flag;
  if (is_array) writer_.global("__builtin__", "bytearray");
  if (is_array && bytes.empty()) {
    writer_.close_tuple(0);
  } else {
    writer_.global("_codecs", "encode");
    writer_.text(latin1_text(bytes));
    writer_.put();
    writer_.literal("latin1");
    writer_.close_tuple(2);
    writer_.put();
  }
  writer_.op('R');
  if (is_array && !bytes.empty()) {
    writer_.put();
    writer_.close_tuple(1);
    writer_.put();
    writer_.op('R');
  }
  remember(id);
}

void ObjectPickler::save_device(ObjectId id) {
  const std::string& text = tree_[id].text;
  const size_t colon = text.find(':');
  writer_.global("torch", "device");
  writer_.text(std::string_view(text).substr(0, colon));
  writer_.put();
  int64_t index = 0;
  const bool has_index = colon != std::string::npos;
  if (has_index) {
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), index);
    writer_.integer(index);
  }
  writer_.close_tuple(has_index ? 2 : 1);
  writer_.put();
  writer_.op('R');
  remember(id);
}

Status ObjectPickler::save_size(ObjectId id) {
  const auto& items = tree_[id].items;
  writer_.global("torch", "Size");
  if (items.size() > 3) writer_.op('(');
  for (const ObjectId item : items) LAN_OK(save(item));
  writer_.close_tuple(items.size());
  if (!items.empty()) writer_.put();
  writer_.close_tuple(1);
  writer_.put();
  writer_.op('R');
  remember(id);
  return ok();
}

void ObjectPickler::save_name(std::string_view dotted) {
  const size_t dot = dotted.rfind('.');
  writer_.global(dotted.substr(0, dot), dotted.substr(dot + 1));
}

void ObjectPickler::save_sizes(const Shape& sizes) {
  if (sizes.size() > 3) writer_.op('(');
  for (const int64_t size : sizes) writer_.integer(size);
  writer_.close_tuple(sizes.size());
  if (!sizes.empty()) writer_.put();
}

void ObjectPickler::save_hooks() {
  writer_.global("collections", "OrderedDict");
  writer_.op(')');
  writer_.op('R');
  writer_.put();
}

/// ('storage', class, key, location, count[, None]), then BINPERSID.
void ObjectPickler::save_storage(const StorageTable::Place& place) {
  const std::string_view name = storage_class(place.dtype);
  writer_.op('(');
  writer_.literal("storage");
  if (name.empty()) {
    writer_.global("torch.storage", "UntypedStorage");
  } else {
    writer_.global("torch", name);
  }
  storage_keys_.resize(std::max(storage_keys_.size(), place.record + 1), kNoMemo);
  uint32_t& key = storage_keys_[place.record];
  if (key == kNoMemo) {
    writer_.text(storage_key(place.record));
    key = writer_.put();
  } else {
    writer_.get(key);
  }
  writer_.literal("cpu");
  writer_.integer(static_cast<int64_t>(place.count));
  if (form_ == TorchForm::kLegacy) writer_.none();
  writer_.op('t');
  writer_.put();
  writer_.op('Q');
}

}  // namespace lanthorn
