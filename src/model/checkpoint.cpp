#include "lanthorn/checkpoint.h"

#include <algorithm>
#include <map>
#include <new>

#include "formats/torch/state_names.h"
#include "lanthorn/model.h"
#include "model/checkpoint_parts.h"

namespace lanthorn {
namespace {

using Kind = Object::Kind;
using Names = std::span<const std::string_view>;

// Under which names people keep the parts, the most usual first.
constexpr std::string_view kModelNames[] = {
    "model_state_dict", "state_dict", "model", "model_state", "net", "network", "weights"};
constexpr std::string_view kOptimizerNames[] = {"optimizer_state_dict", "optimizer", "optim",
                                                "optimizer_state"};
constexpr std::string_view kSchedulerNames[] = {"scheduler_state_dict", "lr_scheduler_state_dict",
                                                "scheduler", "lr_scheduler", "scheduler_state"};
constexpr std::string_view kRngNames[] = {"rng_state", "torch_rng_state", "rng"};
constexpr std::string_view kConfigNames[] = {"model_config", "config", "hyper_parameters",
                                             "hparams"};

std::optional<double> number_at(const ObjectTree& tree, ObjectId id) {
  if (id == kNoObject) return std::nullopt;
  const Object& object = tree[id];
  if (object.kind == Kind::kTensor && object.tensor.defined() && object.tensor.count() == 1) {
    const auto values = object.tensor.to_doubles();
    return values ? std::optional(values->front()) : std::nullopt;
  }
  if (object.kind == Kind::kInt) return static_cast<double>(object.integer);
  if (object.kind == Kind::kFloat) return object.real;
  return std::nullopt;
}

/// A dict, as a tree of its own whose root it is.
ObjectTree part_of(const ObjectTree& tree, ObjectId id) {
  ObjectTree part;
  part.root = part.graft(tree, id);
  return part;
}

class Reader {
 public:
  explicit Reader(const ObjectTree& tree) : tree_(tree) {}

  Result<Checkpoint> read();

 private:
  /// The value under the first of the names that is there; it counts as taken, and `key` is set.
  ObjectId take(Names names, std::string& key) {
    for (const std::string_view name : names) {
      const ObjectId id = tree_.find(tree_.root, name);
      if (id == kNoObject) continue;
      key = name;
      taken_.push_back(id);
      return id;
    }
    return kNoObject;
  }
  ObjectId take(std::string_view name) {
    std::string key;
    return take({&name, 1}, key);
  }
  void give_back(ObjectId id) { std::erase(taken_, id); }
  std::string take_text(std::string_view name) {
    const ObjectId id = tree_.find(tree_.root, name);
    if (id == kNoObject || tree_[id].kind != Kind::kString) return {};
    taken_.push_back(id);
    return tree_[id].text;
  }
  bool only_tensors(ObjectId id) const;
  Status read_model(ObjectId id, Checkpoint& made);
  void read_numbers(Checkpoint& made);
  void read_digests(Checkpoint& made);
  void read_rest(Checkpoint& made);

  const ObjectTree& tree_;
  std::vector<ObjectId> taken_;
};

bool Reader::only_tensors(ObjectId id) const {
  const std::vector<ObjectId>& items = tree_[id].items;
  for (size_t i = 1; i < items.size(); i += 2) {
    if (tree_[items[i]].kind != Kind::kTensor) return false;
  }
  return items.size() > 1;
}

Status Reader::read_model(ObjectId id, Checkpoint& made) {
  LAN_TRY(made.model, name_tensors(tree_, id));
  const ObjectId state = tree_[id].state;
  const ObjectId metadata =
      tree_[id].kind == Kind::kDict ? tree_.find(state, "_metadata") : kNoObject;
  if (metadata == kNoObject) return ok();
  const std::vector<ObjectId>& items = tree_[metadata].items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    const ObjectId version = tree_.find(items[i + 1], "version");
    const bool has = version != kNoObject && tree_[version].kind == Kind::kInt;
    made.model_versions.emplace_back(tree_[items[i]].text, has ? tree_[version].integer : -1);
  }
  return ok();
}

void Reader::read_numbers(Checkpoint& made) {
  if (const ObjectId id = take("epoch"); id != kNoObject) {
    if (tree_[id].kind == Kind::kInt) {
      made.epoch = tree_[id].integer;
    } else {
      give_back(id);
    }
  }
  if (const ObjectId id = take("loss"); id != kNoObject) {
    made.loss = number_at(tree_, id);
    if (!made.loss) give_back(id);
  }
  const ObjectId metrics = take("metrics");
  if (metrics == kNoObject) return;
  const std::vector<ObjectId>& items = tree_[metrics].items;
  bool plain = tree_[metrics].kind == Kind::kDict;
  for (size_t i = 0; plain && i + 1 < items.size(); i += 2) {
    const auto value = number_at(tree_, items[i + 1]);
    plain = value && tree_[items[i]].kind == Kind::kString;
    if (plain) made.metrics.emplace_back(tree_[items[i]].text, *value);
  }
  if (plain) return;
  made.metrics.clear();
  give_back(metrics);
}

void Reader::read_digests(Checkpoint& made) {
  const ObjectId digests = tree_.find(tree_.root, "tensor_digests");
  if (digests == kNoObject || tree_[digests].kind != Kind::kDict) return;
  taken_.push_back(digests);
  const std::vector<ObjectId>& items = tree_[digests].items;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    made.digests.emplace_back(tree_[items[i]].text, tree_[items[i + 1]].text);
  }
}

void Reader::read_rest(Checkpoint& made) {
  const std::vector<ObjectId>& items = tree_[tree_.root].items;
  std::vector<ObjectId> left;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (tree_[items[i]].kind == Kind::kString) made.order.push_back(tree_[items[i]].text);
    if (std::find(taken_.begin(), taken_.end(), items[i + 1]) != taken_.end()) continue;
    left.push_back(made.rest.graft(tree_, items[i]));
    left.push_back(made.rest.graft(tree_, items[i + 1]));
  }
  if (left.empty()) return;
  made.rest.root = made.rest.add_dict();
  made.rest.nodes[made.rest.root].items = std::move(left);
}

Result<Checkpoint> Reader::read() {
  Checkpoint made;
  if (tree_.empty()) return made;
  if (tree_[tree_.root].kind != Kind::kDict || only_tensors(tree_.root)) {
    LAN_OK(read_model(tree_.root, made));
    return made;
  }
  const ObjectId model = take(kModelNames, made.keys.model);
  if (model != kNoObject) LAN_OK(read_model(model, made));
  if (const ObjectId id = take(kOptimizerNames, made.keys.optimizer); id != kNoObject) {
    made.optimizer = read_optimizer(tree_, id);
    if (!made.optimizer) give_back(id);
  }
  for (const auto& [names, key, part] :
       {std::tuple(Names(kSchedulerNames), &made.keys.scheduler, &made.scheduler),
        std::tuple(Names(kRngNames), &made.keys.rng, &made.rng),
        std::tuple(Names(kConfigNames), &made.keys.config, &made.config)}) {
    if (const ObjectId id = take(names, *key); id != kNoObject) *part = part_of(tree_, id);
  }
  read_numbers(made);
  read_digests(made);
  made.pytorch_version = take_text("pytorch_version");
  made.training_date = take_text("training_date");
  made.producer = take_text("producer");
  made.git_commit = take_text("git_commit");
  read_rest(made);
  return made;
}

ObjectId add_model(const Checkpoint& checkpoint, ObjectTree& tree) {
  const ObjectId made = tree.add_dict("collections.OrderedDict");
  for (const NamedTensor& entry : checkpoint.model.entries()) {
    const ObjectId key = tree.add(PlainValue(entry.name)), value = tree.add_tensor(entry.tensor);
    tree.nodes[made].items.push_back(key);
    tree.nodes[made].items.push_back(value);
  }
  if (checkpoint.model_versions.empty()) return made;
  const ObjectId metadata = tree.add_dict("collections.OrderedDict");
  for (const auto& [module, version] : checkpoint.model_versions) {
    const ObjectId entry = tree.add_dict();
    if (version >= 0) tree.set(entry, "version", tree.add(PlainValue(version)));
    const ObjectId key = tree.add(PlainValue(module));
    tree.nodes[metadata].items.push_back(key);
    tree.nodes[metadata].items.push_back(entry);
  }
  const ObjectId state = tree.add_dict();
  tree.set(state, "_metadata", metadata);
  tree.nodes[made].state = state;
  return made;
}

template <class Value>
ObjectId add_pairs(const std::vector<std::pair<std::string, Value>>& pairs, ObjectTree& tree) {
  const ObjectId made = tree.add_dict();
  for (const auto& [key, value] : pairs) {
    const ObjectId key_id = tree.add(PlainValue(key)), value_id = tree.add(PlainValue(value));
    tree.nodes[made].items.push_back(key_id);
    tree.nodes[made].items.push_back(value_id);
  }
  return made;
}

/// The parts in the order in which they are usually written.
std::vector<std::pair<std::string, ObjectId>> add_parts(const Checkpoint& from, ObjectTree& tree) {
  std::vector<std::pair<std::string, ObjectId>> parts;
  const auto add = [&](const std::string& key, ObjectId id) { parts.emplace_back(key, id); };
  const auto add_text = [&](const char* key, const std::string& text) {
    if (!text.empty()) add(key, tree.add(PlainValue(text)));
  };
  const auto add_tree = [&](const std::string& key, const ObjectTree& part) {
    if (!part.empty()) add(key, tree.graft(part, part.root));
  };
  if (from.epoch) add(from.keys.epoch, tree.add(PlainValue(*from.epoch)));
  if (from.model.size() > 0) add(from.keys.model, add_model(from, tree));
  if (from.optimizer) add(from.keys.optimizer, add_optimizer(*from.optimizer, tree));
  add_tree(from.keys.scheduler, from.scheduler);
  if (from.loss) add(from.keys.loss, tree.add(PlainValue(*from.loss)));
  if (!from.metrics.empty()) add(from.keys.metrics, add_pairs(from.metrics, tree));
  add_tree(from.keys.rng, from.rng);
  add_tree(from.keys.config, from.config);
  add_text("pytorch_version", from.pytorch_version);
  add_text("training_date", from.training_date);
  add_text("producer", from.producer);
  add_text("git_commit", from.git_commit);
  if (!from.digests.empty()) add("tensor_digests", add_pairs(from.digests, tree));
  return parts;
}

}  // namespace

std::optional<double> Checkpoint::metric(std::string_view name) const {
  for (const auto& [key, value] : metrics) {
    if (key == name) return value;
  }
  return name == "loss" ? loss : std::nullopt;
}

Result<Checkpoint> checkpoint_of(const ObjectTree& tree) try {
  return Reader(tree).read();
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory for the checkpoint", "", ""};
}

ObjectTree checkpoint_tree(const Checkpoint& checkpoint) {
  ObjectTree tree;
  std::vector<std::pair<std::string, ObjectId>> parts = add_parts(checkpoint, tree);
  tree.root = tree.add_dict();
  std::vector<ObjectId> unnamed;
  if (!checkpoint.rest.empty()) {
    const ObjectId rest = tree.graft(checkpoint.rest, checkpoint.rest.root);
    const std::vector<ObjectId> items = tree[rest].items;
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      if (tree[items[i]].kind == Kind::kString) {
        parts.emplace_back(tree[items[i]].text, items[i + 1]);
      } else {
        unnamed.insert(unnamed.end(), {items[i], items[i + 1]});
      }
    }
  }
  std::map<std::string_view, size_t> place;
  for (size_t i = 0; i < checkpoint.order.size(); ++i) place.emplace(checkpoint.order[i], i);
  const auto place_of = [&](const std::pair<std::string, ObjectId>& part) {
    const auto at = place.find(part.first);
    return at == place.end() ? place.size() : at->second;
  };
  std::stable_sort(parts.begin(), parts.end(),
                   [&](const auto& a, const auto& b) { return place_of(a) < place_of(b); });
  for (const auto& [key, id] : parts) tree.set(tree.root, key, id);
  std::vector<ObjectId>& items = tree.nodes[tree.root].items;
  items.insert(items.end(), unnamed.begin(), unnamed.end());
  return tree;
}

Result<Checkpoint> load_checkpoint(const std::filesystem::path& path) {
  LAN_TRY(const Model model, load(path));
  if (model.objects()) {
    auto made = checkpoint_of(*model.objects());
    if (!made) return std::move(made).error().at(path.string());
    return made;
  }
  if (model.tensors().size() == 0) {
    return Error{ErrorCode::kUnsupported, "holds no named tensors", path.string(),
                 "It is a file of format '" + model.format() + "'; see `lanthorn inspect`."};
  }
  Checkpoint made;
  made.model = model.tensors();
  return made;
}

Result<SaveReport> save_checkpoint(const Checkpoint& checkpoint,
                                   const std::filesystem::path& path) try {
  ObjectTree tree = checkpoint_tree(checkpoint);
  // The tensors may be others than those that the digests were read with.
  if (!checkpoint.digests.empty()) LAN_OK(add_digests(tree));
  return save(tree, path, {.format = "torch"});
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kOutOfMemory, "not enough memory to write the checkpoint", path.string(),
               ""};
}

}  // namespace lanthorn
