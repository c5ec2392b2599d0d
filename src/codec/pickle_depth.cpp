#include "codec/pickle_depth.h"

#include <algorithm>
#include <vector>

namespace lanthorn {
namespace {

/// The `index`th node that a node leads to; kNoPickle where there is nothing, and false at the end.
bool child(const PickleNode& node, size_t index, PickleId& id) {
  const PickleId fixed[] = {node.callee, node.arguments, node.keywords};
  if (index < std::size(fixed)) {
    id = fixed[index];
    return true;
  }
  index -= std::size(fixed);
  for (const auto* list : {&node.states, &node.items, &node.entries}) {
    if (index < list->size()) {
      id = (*list)[index];
      return true;
    }
    index -= list->size();
  }
  return false;
}

}  // namespace

uint32_t pickle_depth(const PickleTree& tree, uint32_t limit) {
  if (tree.root == kNoPickle) return 0;
  struct Step {
    PickleId id;
    size_t next;
    uint32_t below;
  };
  constexpr uint32_t kNew = 0, kOpen = UINT32_MAX;
  std::vector<uint32_t> heights(tree.nodes.size(), kNew);
  std::vector<Step> path = {{tree.root, 0, 0}};
  heights[tree.root] = kOpen;
  while (true) {
    if (path.size() > limit) return static_cast<uint32_t>(path.size());
    Step& step = path.back();
    PickleId id = kNoPickle;
    if (!child(tree[step.id], step.next, id)) {
      const uint32_t height = step.below + 1;
      heights[step.id] = height;
      path.pop_back();
      if (height > limit || path.empty()) return height;
      path.back().below = std::max(path.back().below, height);
      continue;
    }
    ++step.next;
    if (id == kNoPickle || heights[id] == kOpen) continue;
    if (heights[id] != kNew) {
      step.below = std::max(step.below, heights[id]);
      continue;
    }
    heights[id] = kOpen;
    path.push_back({id, 0, 0});
  }
}

}  // namespace lanthorn
