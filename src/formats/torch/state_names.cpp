#include "formats/torch/state_names.h"

#include <unordered_set>

#include "formats/named_tensors.h"
#include "formats/torch/object_walk.h"

namespace lanthorn {
namespace {

constexpr size_t kMaxNames = 500'000;
constexpr uint64_t kMaxNameBytes = uint64_t{64} << 20;

class Namer : public ObjectVisitor {
 public:
  explicit Namer(const ObjectTree& tree) : tree_(tree) {}

  Result<bool> visit(const std::string& path, ObjectId id) override {
    const Object& object = tree_[id];
    if (object.kind != Object::Kind::kTensor) return true;
    std::string name = path.empty() ? "tensor" : path;
    for (size_t number = 2; !taken_.insert(name).second; ++number) {
      if (number > 1000) return too_many();
      name = (path.empty() ? "tensor" : path) + "#" + std::to_string(number);
    }
    name_bytes_ += name.size();
    if (tensors_.size() >= kMaxNames || name_bytes_ > kMaxNameBytes) return too_many();
    tensors_.push_back({std::move(name), object.tensor});
    return false;
  }
  std::vector<NamedTensor> take() { return std::move(tensors_); }

 private:
  static Error too_many() {
    return Error{ErrorCode::kLimit, "the file reaches its tensors in more ways than can be named"};
  }

  const ObjectTree& tree_;
  std::vector<NamedTensor> tensors_;
  std::unordered_set<std::string> taken_;
  uint64_t name_bytes_ = 0;
};

}  // namespace

Result<StateDict> name_tensors(const ObjectTree& tree) { return name_tensors(tree, tree.root); }

Result<StateDict> name_tensors(const ObjectTree& tree, ObjectId root) {
  Namer namer(tree);
  LAN_OK(walk_objects(tree, root, namer));
  return make_state_dict(namer.take());
}

}  // namespace lanthorn
