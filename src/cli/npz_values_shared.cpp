// How values lie in .npz files: docs/interface.md, "run with .npz files".

#include "cli/npz_values_shared.h"

#include <algorithm>
#include <map>

#include "codec/mapped_file.h"
#include "formats/npy/npz.h"

namespace lanthorn {
namespace {

using Entries = std::map<std::string, Tensor, std::less<>>;

Result<Value> find_value(const Entries& entries, const std::string& name, bool& found) {
  found = true;
  if (const auto entry = entries.find(name); entry != entries.end()) return Value(entry->second);
  if (entries.contains(name + "#")) return Value::sequence({});
  const auto keys = entries.find(name + "@keys");
  const auto values = entries.find(name + "@values");
  if (keys != entries.end() && values != entries.end()) {
    return Value::map({{Value(keys->second), Value(values->second)}});
  }
  Value::Sequence items;
  while (true) {
    const std::string item_name = name + "#" + std::to_string(items.size());
    // An item may be a sequence itself, so it is looked for only where something begins like it.
    const auto next = entries.lower_bound(item_name);
    if (next == entries.end() || !next->first.starts_with(item_name)) break;
    bool there = false;
    LAN_TRY(Value item, find_value(entries, item_name, there));
    if (!there) break;
    items.push_back(std::move(item));
  }
  found = !items.empty();
  return found ? Value::sequence(std::move(items)) : Value();
}

Status add_entries(const std::string& name, const Value& value, std::vector<NamedTensor>& entries) {
  if (value.is_none()) return ok();
  if (const auto* items = value.sequence()) {
    if (items->empty()) {
      LAN_TRY(Tensor nothing, Tensor::allocate(DType::kF32, {0}));
      entries.push_back({name + "#", std::move(nothing)});
    }
    for (size_t i = 0; i < items->size(); ++i) {
      LAN_OK(add_entries(name + "#" + std::to_string(i), (*items)[i], entries));
    }
    return ok();
  }
  if (const auto* map = value.map()) {
    for (const auto& [keys, values] : *map) {
      if (!keys.tensor() || !values.tensor()) {
        return Error{ErrorCode::kUnsupported, "a map whose keys are no array", name, ""};
      }
      entries.push_back({name + "@keys", *keys.tensor()});
      entries.push_back({name + "@values", *values.tensor()});
    }
    return ok();
  }
  if (value.text()) {
    entries.push_back({name, Tensor::of_strings({}, {*value.text()})});
    return ok();
  }
  if (!value.tensor()) return Error{ErrorCode::kInternal, "a value of no kind that .npz can hold", name, ""};
  entries.push_back({name, *value.tensor()});
  return ok();
}

}  // namespace

Result<std::vector<NamedTensor>> value_entries(const NamedValue& value) {
  std::vector<NamedTensor> entries;
  LAN_OK(add_entries(value.name, value.value, entries));
  return entries;
}

Result<std::vector<NamedValue>> read_input_values(const std::filesystem::path& path,
                                                  const std::vector<Port>& ports) {
  LAN_TRY(const auto file, MappedFile::open(path));
  auto arrays = read_npz(file, {});
  if (!arrays) return std::move(arrays).error().at(path.string());
  Entries entries;
  for (const NamedTensor& array : arrays->entries()) entries.emplace(array.name, array.tensor);
  std::vector<NamedValue> inputs;
  for (const Port& port : ports) {
    bool found = false;
    LAN_TRY(Value value, find_value(entries, port.name, found));
    if (found) inputs.push_back({port.name, std::move(value)});
  }
  if (!inputs.empty() || ports.empty()) return inputs;
  for (size_t i = 0;; ++i) {
    bool found = false;
    const std::string name = "in" + std::to_string(i);
    LAN_TRY(Value value, find_value(entries, name, found));
    if (!found) break;
    inputs.push_back({name, std::move(value)});
  }
  const auto is_required = [](const Port& port) { return !port.optional; };
  if (inputs.empty() && std::any_of(ports.begin(), ports.end(), is_required)) {
    std::string names;
    for (const Port& port : ports) names += (names.empty() ? "" : ", ") + port.name;
    return Error{ErrorCode::kInvalidInput, "has none of the model's inputs", path.string(),
                 "They are called " + names + "; in0, in1, ... go by position."};
  }
  return inputs;
}

Status write_output_values(const std::filesystem::path& path, std::span<const NamedValue> values) {
  std::vector<NamedTensor> entries;
  for (const NamedValue& value : values) LAN_OK(add_entries(value.name, value.value, entries));
  return write_npz(path, entries);
}

}  // namespace lanthorn
