#include "formats/torch/plain_tree.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>

#include "formats/torch/globals.h"
#include "formats/torch/object_walk.h"

namespace lanthorn {
namespace {

using Kind = Object::Kind;

constexpr int kMaxDepth = 1500;
constexpr uint64_t kMaxModules = 1'000'000;  // reached in any way
constexpr size_t kMaxNotes = 50;
constexpr size_t kLongestInteger = 600;  // decimal digits; a loader takes 255 bytes

class Plainer {
 public:
  explicit Plainer(const ObjectTree& tree) : old_(tree), of_old_(tree.nodes.size(), kNoObject) {}

  Result<PlainTree> run();

 private:
  Result<ObjectId> plain(ObjectId id);
  Status fill(ObjectId id, ObjectId made);
  Status fill_dict(const Object& old, ObjectId made);
  Status fill_tensor(const Object& old, ObjectId made);
  Status fill_instance(ObjectId id, ObjectId made);
  Status add_module(ObjectId state, const std::string& prefix, ObjectId made, int depth);
  Status fill_attributes(ObjectId state, ObjectId made);
  Status fill_made_of(const Object& old, ObjectId made);
  Result<std::vector<ObjectId>> plain_all(const std::vector<ObjectId>& ids);
  Result<ObjectId> plain_key(ObjectId id);
  bool has_tensor(ObjectId id, std::set<ObjectId>& seen) const;
  /// The attributes of a module; kNoObject for other objects.
  ObjectId module_state(const Object& object) const {
    const bool module = object.kind == Kind::kInstance && is_module_state(old_, object.state);
    return module ? object.state : kNoObject;
  }
  ObjectId add(Kind kind, std::string text = {});
  void set_text(ObjectId made, std::string text);
  void count(std::string what, const std::string& name) { ++changes_[{std::move(what), name}]; }

  const ObjectTree& old_;
  PlainTree out_;
  std::vector<ObjectId> of_old_;
  std::map<ObjectId, ObjectId> stands_for_;  // objects that became what they were made of
  std::set<ObjectId> open_;          // tuples that are being filled
  std::set<ObjectId> open_modules_;  // on the way to the module whose tensors are added
  uint64_t modules_ = 0;
  std::map<std::pair<std::string, std::string>, uint64_t> changes_;
  int depth_ = 0;
};

ObjectId Plainer::add(Kind kind, std::string text) {
  Object object;
  object.kind = kind;
  object.text = std::move(text);
  return out_.tree.add(std::move(object));
}

void Plainer::set_text(ObjectId made, std::string text) {
  out_.tree.nodes[made].kind = Kind::kString;
  out_.tree.nodes[made].text = std::move(text);
}

Result<ObjectId> Plainer::plain(ObjectId id) {
  if (id == kNoObject) return kNoObject;
  if (of_old_[id] != kNoObject) {
    if (!open_.contains(of_old_[id])) return of_old_[id];
    count("a tuple that holds itself became None", "");
    return add(Kind::kNone);
  }
  if (depth_ >= kMaxDepth) return Error{ErrorCode::kLimit, "the objects are nested too deep"};
  const ObjectId made = add(Kind::kNone);
  of_old_[id] = made;
  ++depth_;
  auto status = fill(id, made);
  --depth_;
  if (!status) return std::move(status).error();
  if (const auto found = stands_for_.find(made); found != stands_for_.end()) {
    of_old_[id] = found->second;
  }
  return of_old_[id];
}

Result<std::vector<ObjectId>> Plainer::plain_all(const std::vector<ObjectId>& ids) {
  std::vector<ObjectId> all;
  all.reserve(ids.size());
  for (const ObjectId id : ids) {
    LAN_TRY(const ObjectId made, plain(id));
    all.push_back(made);
  }
  return all;
}

/// Keys of dicts and members of sets must stay what can be hashed.
Result<ObjectId> Plainer::plain_key(ObjectId id) {
  LAN_TRY(const ObjectId made, plain(id));
  const Kind kind = made == kNoObject ? Kind::kNone : out_.tree[made].kind;
  if (kind != Kind::kDict && kind != Kind::kList && kind != Kind::kSet) return made;
  return add(Kind::kString, old_[id].text + "#" + std::to_string(id));
}

Status Plainer::fill(ObjectId id, ObjectId made) {
  const Object& old = old_[id];
  Object& object = out_.tree.nodes[made];
  switch (old.kind) {
    case Kind::kNone:
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
    case Kind::kComplex:
      if (!old.text.empty()) count("became a plain number", old.text);
      object = old;
      object.text.clear();
      return ok();
    case Kind::kBigInt:
      object = old;
      if (old.text.size() > kLongestInteger) {
        object.kind = Kind::kString;
        count("an integer that is too long became text", "");
      }
      return ok();
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kDevice:
    case Kind::kDType:
    case Kind::kSize:
      object.kind = old.kind;
      object.text = old.text;
      object.flag = old.flag;
      if (old.kind == Kind::kSize) {
        LAN_TRY(auto items, plain_all(old.items));
        out_.tree.nodes[made].items = std::move(items);
      }
      return ok();
    case Kind::kGlobal:
      // The scheme of a quantized tensor is written as the name that it is.
      if (!old.text.starts_with("torch.per_")) {
        count("a class or function became its name", old.text);
      }
      set_text(made, old.text);
      return ok();
    case Kind::kList: {
      if (!old.text.empty()) count("became a list", old.text);
      object.kind = Kind::kList;
      LAN_TRY(auto items, plain_all(old.items));
      out_.tree.nodes[made].items = std::move(items);
      return ok();
    }
    case Kind::kTuple: {
      object.kind = Kind::kTuple;
      open_.insert(made);
      LAN_TRY(auto items, plain_all(old.items));
      open_.erase(made);
      out_.tree.nodes[made].items = std::move(items);
      return ok();
    }
    case Kind::kSet:
    case Kind::kFrozenSet: {
      object.kind = Kind::kSet;
      if (old.kind == Kind::kFrozenSet) count("became a set", "frozenset");
      std::vector<ObjectId> items;
      for (const ObjectId item : old.items) {
        LAN_TRY(const ObjectId key, plain_key(item));
        items.push_back(key);
      }
      out_.tree.nodes[made].items = std::move(items);
      return ok();
    }
    case Kind::kDict:
      return fill_dict(old, made);
    case Kind::kTensor:
      return fill_tensor(old, made);
    case Kind::kInstance:
      return fill_instance(id, made);
  }
  return ok();
}

Status Plainer::fill_dict(const Object& old, ObjectId made) {
  out_.tree.nodes[made].kind = Kind::kDict;
  if (old.text == "collections.OrderedDict" || old.text == "collections.Counter") {
    out_.tree.nodes[made].text = old.text;
  } else if (!old.text.empty()) {
    count("became a dict", old.text);
  }
  std::vector<ObjectId> items;
  for (size_t i = 0; i + 1 < old.items.size(); i += 2) {
    LAN_TRY(const ObjectId key, plain_key(old.items[i]));
    LAN_TRY(const ObjectId value, plain(old.items[i + 1]));
    items.push_back(key);
    items.push_back(value);
  }
  out_.tree.nodes[made].items = std::move(items);
  // What an OrderedDict has as attributes: `_metadata`, the versions of the modules.
  if (old.state == kNoObject || old.text != "collections.OrderedDict" ||
      old_[old.state].kind != Kind::kDict) {
    return ok();
  }
  LAN_TRY(const ObjectId state, plain(old.state));
  out_.tree.nodes[made].state = state;
  return ok();
}

Status Plainer::fill_tensor(const Object& old, ObjectId made) {
  ++out_.tensors;
  if (old.tensor.dtype() == DType::kString) {
    count("an array of text was left out", "");
    return ok();
  }
  Object tensor;
  tensor.kind = Kind::kTensor;
  tensor.tensor = old.tensor;
  tensor.requires_grad = old.requires_grad;
  const bool parameter = old.text == "torch.nn.parameter.Parameter";
  if (parameter || old.text.starts_with("sparse_")) {
    tensor.text = old.text;
  } else if (!old.text.empty()) {
    count("became a plain tensor", old.text);
  }
  LAN_TRY(tensor.arguments, plain(old.arguments));
  if (parameter && old.state != kNoObject && old_[old.state].kind == Kind::kDict) {
    LAN_TRY(tensor.state, plain(old.state));
  }
  out_.tree.nodes[made] = std::move(tensor);
  return ok();
}

Status Plainer::add_module(ObjectId id, const std::string& prefix, ObjectId made, int depth) {
  const ObjectId state = module_state(old_[id]);
  if (state == kNoObject) return ok();
  if (depth > kMaxDepth) return Error{ErrorCode::kLimit, "the modules are nested too deep"};
  if (++modules_ > kMaxModules) {
    return Error{ErrorCode::kLimit, "the modules are reached in more ways than can be named"};
  }
  // A module that is within itself ends where that closes.
  if (!open_modules_.insert(id).second) return ok();
  std::set<std::string> passing;
  const ObjectId names = old_.find(state, "_non_persistent_buffers_set");
  if (names != kNoObject) {
    for (const ObjectId name : old_[names].items) passing.insert(old_[name].text);
  }
  for (const std::string_view part : {"_parameters", "_buffers"}) {
    const auto& items = old_[old_.find(state, part)].items;
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      const std::string& name = old_[items[i]].text;
      if (old_[items[i + 1]].kind != Kind::kTensor || (part[1] == 'b' && passing.contains(name))) {
        continue;
      }
      LAN_TRY(const ObjectId tensor, plain(items[i + 1]));
      // As state_dict() gives them: tensors without gradient.
      Object detached = out_.tree[tensor];
      if (detached.kind != Kind::kTensor) continue;
      detached.text = detached.text.starts_with("sparse_") ? detached.text : "";
      detached.requires_grad = false;
      detached.state = kNoObject;
      const ObjectId key = add(Kind::kString, prefix + name);
      const ObjectId value = out_.tree.add(std::move(detached));
      auto& entries = out_.tree.nodes[made].items;
      entries.push_back(key);
      entries.push_back(value);
    }
  }
  const auto& children = old_[old_.find(state, "_modules")].items;
  for (size_t i = 0; i + 1 < children.size(); i += 2) {
    LAN_OK(add_module(children[i + 1], prefix + old_[children[i]].text + ".", made, depth + 1));
  }
  open_modules_.erase(id);
  return ok();
}

/// (dict, slots), a dict, or what else a class makes of its state.
Status Plainer::fill_attributes(ObjectId id, ObjectId made) {
  const Object& state = old_[id];
  const bool with_slots = state.kind == Kind::kTuple && state.items.size() == 2 &&
                          (old_[state.items[1]].kind == Kind::kDict);
  std::vector<ObjectId> parts = {id};
  if (with_slots) parts = state.items;
  if (!with_slots && state.kind != Kind::kDict) {
    LAN_TRY(stands_for_[made], plain(id));
    return ok();
  }
  out_.tree.nodes[made].kind = Kind::kDict;
  for (const ObjectId part : parts) {
    if (old_[part].kind != Kind::kDict) continue;
    for (size_t i = 0; i + 1 < old_[part].items.size(); i += 2) {
      LAN_TRY(const ObjectId key, plain_key(old_[part].items[i]));
      LAN_TRY(const ObjectId value, plain(old_[part].items[i + 1]));
      auto& entries = out_.tree.nodes[made].items;
      entries.push_back(key);
      entries.push_back(value);
    }
  }
  return ok();
}

bool Plainer::has_tensor(ObjectId id, std::set<ObjectId>& seen) const {
  if (id == kNoObject || !seen.insert(id).second || seen.size() > 10'000) return false;
  const Object& object = old_[id];
  if (object.kind == Kind::kTensor || has_tensor(object.arguments, seen) ||
      has_tensor(object.state, seen)) {
    return true;
  }
  return std::any_of(object.items.begin(), object.items.end(),
                     [&](ObjectId item) { return has_tensor(item, seen); });
}

/// "2026-01-02T03:04:05.000006" of the ten bytes that datetime keeps.
std::string time_text(std::string_view b) {
  const auto at = [&](size_t i) { return static_cast<unsigned>(static_cast<uint8_t>(b[i])); };
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%04u-%02u-%02uT%02u:%02u:%02u.%06u", at(0) << 8 | at(1),
                at(2) & 0x7f, at(3), at(4), at(5), at(6), at(7) << 16 | at(8) << 8 | at(9));
  return text.data();
}

/// An object that keeps no attributes: what its constructor got.
Status Plainer::fill_made_of(const Object& old, ObjectId made) {
  static const std::vector<ObjectId> kNone;
  const auto& given = old.arguments == kNoObject ? kNone : old_[old.arguments].items;
  if (old.text == "datetime.datetime" && !given.empty() && old_[given[0]].text.size() == 10) {
    set_text(made, time_text(old_[given[0]].text));
    return ok();
  }
  if (old.text.starts_with("pathlib.")) {
    set_text(made, path_text(old_, given));
    return ok();
  }
  if (given.empty()) return ok();
  if (given.size() == 1) {
    LAN_TRY(stands_for_[made], plain(given[0]));
    return ok();
  }
  out_.tree.nodes[made].kind = Kind::kTuple;
  open_.insert(made);
  LAN_TRY(auto items, plain_all(given));
  open_.erase(made);
  out_.tree.nodes[made].items = std::move(items);
  return ok();
}

Status Plainer::fill_instance(ObjectId id, ObjectId made) {
  const Object& old = old_[id];
  const size_t dot = old.text.rfind('.');
  PickleGlobal global;
  global.module = dot == std::string::npos ? "" : old.text.substr(0, dot);
  global.name = dot == std::string::npos ? old.text : old.text.substr(dot + 1);
  global.called = true;
  if (module_state(old) != kNoObject) {
    count("a module became its state_dict", old.text);
    out_.tree.nodes[made].kind = Kind::kDict;
    out_.tree.nodes[made].text = "collections.OrderedDict";
    return add_module(id, "", made, 0);
  }
  if (judge_global(global).verdict == GlobalVerdict::kDangerous) {
    count("a call that would run code was dropped", old.text);
    std::set<ObjectId> seen;
    if (!has_tensor(old.arguments, seen) && !has_tensor(old.state, seen)) return ok();
  } else {
    count("became plain data", old.text);
  }
  if (!old.items.empty()) {
    Object as_dict = old;
    as_dict.text.clear();
    return fill_dict(as_dict, made);
  }
  if (old.state != kNoObject && old_[old.state].kind != Kind::kNone) {
    return fill_attributes(old.state, made);
  }
  return fill_made_of(old, made);
}

Result<PlainTree> Plainer::run() {
  LAN_TRY(out_.tree.root, plain(old_.root));
  for (const auto& [change, times] : changes_) {
    if (out_.notes.size() >= kMaxNotes) {
      out_.notes.push_back("and more of the kind");
      break;
    }
    const auto& [what, name] = change;
    const bool leads = what.starts_with("became");
    std::string text = leads ? name + " " + what : what + (name.empty() ? "" : ": " + name);
    if (times > 1) text += " (" + std::to_string(times) + " times)";
    out_.notes.push_back(std::move(text));
  }
  return std::move(out_);
}

}  // namespace

Result<PlainTree> make_plain(const ObjectTree& tree) { return Plainer(tree).run(); }

}  // namespace lanthorn
