#include "runtime/buffers.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "runtime/memory_plan.h"
#include "runtime/view_alias.h"

namespace lanthorn {

namespace {

constexpr uint32_t kNoGroup = UINT32_MAX;

/// Values that share memory. A group that was merged into another keeps only the way there.
struct Group {
  uint32_t parent = kNoGroup;
  uint64_t shift = 0;     // offset of this group's start in the parent
  uint64_t bytes = 0;
  uint32_t first = 0, last = 0;  // steps
  bool is_input = false;
  bool escapes = false;   // a graph output lies in it
  uint32_t input = 0;
};

class Buffers {
 public:
  Buffers(const Graph& graph, const ConcreteGraph& concrete, std::span<const ChosenNode> nodes)
      : graph_(graph), concrete_(concrete), nodes_(nodes),
        group_of_(graph.values.size(), kNoGroup), offset_of_(graph.values.size(), 0) {}

  Result<BufferPlan> plan(uint64_t max_bytes) {
    for (uint32_t i = 0; i < graph_.inputs.size(); ++i) {
      const ValueId id = graph_.inputs[i];
      group_of_[id] = new_group(bytes_of(id), 0);
      groups_.back().is_input = true;
      groups_.back().input = i;
    }
    for (uint32_t step = 0; step < nodes_.size(); ++step) place_outputs(step);
    for (const ValueId id : graph_.outputs) {
      if (id == kNoValue || concrete_.constants[id] || group_of_[id] == kNoGroup) continue;
      groups_[group_of_[id]].escapes = true;
    }
    for (const uint32_t step : out_.runs) overwrite_input(step);
    return lay_out(max_bytes);
  }

 private:
  uint64_t bytes_of(ValueId id) const { return known_bytes(concrete_.types[id]).value_or(0); }
  uint32_t new_group(uint64_t bytes, uint32_t step) {
    Group group;
    group.bytes = bytes;
    group.first = group.last = step;
    groups_.push_back(group);
    return static_cast<uint32_t>(groups_.size() - 1);
  }
  /// The group that has the memory, and where in it `offset` of `group` is.
  std::pair<uint32_t, uint64_t> resolve(uint32_t group, uint64_t offset) const {
    while (groups_[group].parent != kNoGroup) {
      offset += groups_[group].shift;
      group = groups_[group].parent;
    }
    return {group, offset};
  }

  bool alias_outputs(const Node& node) {
    if (node.inputs.empty() || node.inputs[0] == kNoValue || group_of_[node.inputs[0]] == kNoGroup) return false;
    std::vector<ValueType> inputs, outputs;
    std::vector<const Tensor*> constants;
    for (const ValueId id : node.inputs) {
      inputs.push_back(id == kNoValue ? ValueType() : concrete_.types[id]);
      constants.push_back(id == kNoValue ? nullptr : concrete_.constants[id]);
    }
    for (const ValueId id : node.outputs) outputs.push_back(id == kNoValue ? ValueType() : concrete_.types[id]);
    std::vector<uint64_t> offsets(outputs.size(), 0);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      const auto offset = alias_offset(node, inputs, outputs, constants, i);
      if (!offset) return false;
      offsets[i] = *offset;
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      group_of_[node.outputs[i]] = group_of_[node.inputs[0]];
      offset_of_[node.outputs[i]] = offset_of_[node.inputs[0]] + offsets[i];
    }
    return true;
  }

  void place_outputs(uint32_t step) {
    const Node& node = graph_.nodes[nodes_[step].node];
    if (alias_outputs(node)) return;
    out_.runs.push_back(step);
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && group_of_[id] != kNoGroup) groups_[group_of_[id]].last = step;
    }
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) group_of_[id] = new_group(bytes_of(id), step);
    }
  }

  void overwrite_input(uint32_t step) {
    const Node& node = graph_.nodes[nodes_[step].node];
    if (!nodes_[step].kernel || !nodes_[step].kernel->in_place) return;
    if (node.inputs.empty() || node.inputs[0] == kNoValue || node.outputs.empty() || node.outputs[0] == kNoValue) return;
    if (group_of_[node.inputs[0]] == kNoGroup) return;
    const auto [source, offset] = resolve(group_of_[node.inputs[0]], offset_of_[node.inputs[0]]);
    Group& from = groups_[source];
    if (from.is_input || from.escapes || from.last != step) return;
    if (bytes_of(node.inputs[0]) != bytes_of(node.outputs[0])) return;
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNoValue || group_of_[node.inputs[i]] == kNoGroup) continue;
      if (resolve(group_of_[node.inputs[i]], 0).first == source) return;
    }
    const uint32_t target = group_of_[node.outputs[0]];
    Group& to = groups_[target];
    if (to.escapes && from.bytes != to.bytes) return;  // the caller would keep more than it asked for
    to.parent = source;
    to.shift = offset;
    from.last = std::max(from.last, to.last);
    from.escapes = to.escapes;
  }

  /// An output that is a small piece of its memory is copied out instead of keeping all of it.
  bool worth_keeping(uint32_t group) const {
    uint64_t used = 0;
    for (const ValueId id : graph_.outputs) {
      if (id == kNoValue || concrete_.constants[id] || group_of_[id] == kNoGroup) continue;
      if (resolve(group_of_[id], 0).first == group) used += bytes_of(id);
    }
    return used >= groups_[group].bytes / 2;
  }

  Result<BufferPlan> lay_out(uint64_t max_bytes) {
    const uint32_t end = static_cast<uint32_t>(nodes_.size());
    std::vector<Lifetime> lifetimes;
    std::vector<uint32_t> slot(groups_.size(), kNoGroup);
    std::vector<uint32_t> block(groups_.size(), kNoGroup);
    for (uint32_t g = 0; g < groups_.size(); ++g) {
      const Group& group = groups_[g];
      if (group.parent != kNoGroup || group.is_input) continue;
      if (group.escapes && worth_keeping(g)) {
        block[g] = static_cast<uint32_t>(out_.output_blocks.size());
        out_.output_blocks.push_back(group.bytes);
        continue;
      }
      slot[g] = static_cast<uint32_t>(lifetimes.size());
      lifetimes.push_back({group.bytes, group.first, group.escapes ? end : group.last});
    }
    const size_t scratch_begin = lifetimes.size();
    for (const uint32_t step : out_.runs) lifetimes.push_back({nodes_[step].scratch_bytes, step, step});
    LAN_TRY(const MemoryLayout layout, lay_out_memory(lifetimes, max_bytes));
    out_.arena_bytes = layout.total_bytes;
    out_.scratch.assign(layout.offsets.begin() + static_cast<ptrdiff_t>(scratch_begin), layout.offsets.end());
    out_.places.resize(graph_.values.size());
    for (ValueId id = 0; id < graph_.values.size(); ++id) {
      Place& place = out_.places[id];
      if (concrete_.constants[id]) {
        place.kind = Place::Kind::kConstant;
      } else if (group_of_[id] != kNoGroup) {
        const auto [group, offset] = resolve(group_of_[id], offset_of_[id]);
        place.offset = offset;
        if (groups_[group].is_input) {
          place.kind = Place::Kind::kInput;
          place.index = groups_[group].input;
        } else if (block[group] != kNoGroup) {
          place.kind = Place::Kind::kOutput;
          place.index = block[group];
        } else {
          place.kind = Place::Kind::kArena;
          place.offset += layout.offsets[slot[group]];
        }
      }
    }
    return std::move(out_);
  }

  const Graph& graph_;
  const ConcreteGraph& concrete_;
  std::span<const ChosenNode> nodes_;
  std::vector<uint32_t> group_of_;
  std::vector<uint64_t> offset_of_;
  std::vector<Group> groups_;
  BufferPlan out_;
};

}  // namespace

Result<BufferPlan> plan_buffers(const Graph& graph, const ConcreteGraph& concrete, std::span<const ChosenNode> nodes,
                                uint64_t max_bytes) {
  return Buffers(graph, concrete, nodes).plan(max_bytes);
}

}  // namespace lanthorn
