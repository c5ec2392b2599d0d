#include "formats/torch/state_names.h"

#include <unordered_set>

#include "formats/torch/object_walk.h"

namespace lanthorn {
namespace {

constexpr size_t kMaxNames = 500'000;
constexpr uint64_t kMaxNameBytes = uint64_t{64} << 20;

class Namer : public ObjectVisitor {
 public:
  explicit Namer(const ObjectTree& tree) : tree_(tree) {}

  Result<bool> visit(const std::string& path, ObjectId id) override {
    if (tree_[id].kind != Object::Kind::kTensor) return true;
    std::string name = path.empty() ? "tensor" : path;
    for (size_t number = 2; !taken_.insert(name).second; ++number) {
      if (number > 1000) return too_many();
      name = (path.empty() ? "tensor" : path) + "#" + std::to_string(number);
    }
    name_bytes_ += name.size();
    if (tensors_.size() >= kMaxNames || name_bytes_ > kMaxNameBytes) return too_many();
    tensors_.push_back({std::move(name), id});
    return false;
  }
  std::vector<TensorName> take() { return std::move(tensors_); }

 private:
  static Error too_many() {
    return Error{ErrorCode::kLimit, "the file reaches its tensors in more ways than can be named"};
  }

  const ObjectTree& tree_;
  std::vector<TensorName> tensors_;
  std::unordered_set<std::string> taken_;
  uint64_t name_bytes_ = 0;
};

}  // namespace

Result<std::vector<TensorName>> list_tensors(const ObjectTree& tree, ObjectId root) {
  Namer namer(tree);
  LAN_OK(walk_objects(tree, root, namer));
  return namer.take();
}

Result<StateDict> name_tensors(const ObjectTree& tree, ObjectId root) {
  LAN_TRY(std::vector<TensorName> names, list_tensors(tree, root));
  StateDict state;
  for (TensorName& name : names) LAN_OK(state.add(std::move(name.name), tree[name.id].tensor));
  return state;
}

Result<StateDict> name_tensors(const ObjectTree& tree) { return name_tensors(tree, tree.root); }

}  // namespace lanthorn
