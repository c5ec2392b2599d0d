#include "script/debug_records.h"

#include <algorithm>
#include <optional>
#include <span>

#include "codec/pickle.h"

namespace lanthorn::script {
namespace {

class Records {
 public:
  explicit Records(const PickleTree& tree) : tree_(tree) {}

  std::string place(uint32_t offset) const {
    const PickleNode* root = node(tree_.root);
    if (!root || root->items.empty()) return "";
    const PickleNode* entries = root;
    const PickleNode* lines = nullptr;
    const PickleNode* tag = node(root->items[0]);
    if (tag && tag->kind == PickleNode::Kind::kString && root->items.size() >= 3) {
      lines = node(root->items[1]);
      entries = node(root->items[2]);
    }
    if (!entries) return "";
    // Entries are in order of their offsets; the last that begins at or before ours holds it.
    const PickleNode* best = nullptr;
    for (const PickleId id : entries->items) {
      const PickleNode* entry = node(id);
      if (!entry || entry->items.size() < 2) continue;
      const PickleNode* start = node(entry->items[0]);
      if (!start || start->kind != PickleNode::Kind::kInt) continue;
      if (start->integer > static_cast<int64_t>(offset)) break;
      best = entry;
    }
    return best ? source_place(node(best->items[1]), lines) : "";
  }

 private:
  const PickleNode* node(PickleId id) const {
    return id < tree_.nodes.size() ? &tree_[id] : nullptr;
  }

  std::string text(PickleId id, const PickleNode* table) const {
    const PickleNode* at = node(id);
    if (!at) return "";
    if (at->kind == PickleNode::Kind::kString) return at->text;
    if (at->kind != PickleNode::Kind::kInt || !table) return "";
    if (at->integer < 0 || static_cast<uint64_t>(at->integer) >= table->items.size()) return "";
    const PickleNode* entry = node(table->items[static_cast<size_t>(at->integer)]);
    return entry ? entry->text : "";
  }

  // ((text or line indices, file, first line), start, end)
  std::string source_place(const PickleNode* range, const PickleNode* lines) const {
    if (!range || range->items.size() < 3) return "";
    const PickleNode* source = node(range->items[0]);
    const PickleNode* start = node(range->items[1]);
    if (!source || source->items.size() < 3 || !start) return "";
    const std::string file = text(source->items[1], lines);
    const PickleNode* first = node(source->items[2]);
    if (file.empty() || !first || first->kind != PickleNode::Kind::kInt) return "";
    int64_t line = first->integer;
    uint64_t left = start->integer < 0 ? 0 : static_cast<uint64_t>(start->integer);
    for (const std::string& part : pieces(source->items[0], lines)) {
      const size_t seen = std::min<uint64_t>(left, part.size());
      line += std::count(part.begin(), part.begin() + static_cast<ptrdiff_t>(seen), '\n');
      left -= seen;
      if (left == 0) break;
    }
    return file + ":" + std::to_string(line);
  }

  std::vector<std::string> pieces(PickleId id, const PickleNode* lines) const {
    const PickleNode* at = node(id);
    if (!at) return {};
    if (at->kind == PickleNode::Kind::kString) return {at->text};
    if (at->kind == PickleNode::Kind::kCall) {  // build_intlist([...])
      const PickleNode* arguments = node(at->arguments);
      at = arguments && !arguments->items.empty() ? node(arguments->items[0]) : nullptr;
      if (!at) return {};
    }
    std::vector<std::string> out;
    for (const PickleId item : at->items) out.push_back(text(item, lines));
    return out;
  }

  const PickleTree& tree_;
};

}  // namespace

std::string place_from_debug_records(std::string_view record, uint32_t offset) {
  const auto tree = read_pickle(std::as_bytes(std::span(record.data(), record.size())));
  return tree ? Records(*tree).place(offset) : "";
}

}  // namespace lanthorn::script
