#include "cli/diff_shared.h"

#include <algorithm>
#include <map>
#include <set>

#include "cli/tensor_facts_shared.h"
#include "formats/module_list.h"
#include "formats/torch/object_text.h"
#include "model/model_impl.h"
#include "script/class_table.h"

namespace lanthorn {
namespace {

using Texts = std::map<std::string, std::string>;

/// Changes from one to the other, in the order of names.
std::vector<TextChange> changes(const Texts& a, const Texts& b) {
  std::vector<TextChange> found;
  for (const auto& [name, text] : a) {
    const auto other = b.find(name);
    if (other == b.end()) {
      found.push_back({name, text, std::nullopt});
    } else if (other->second != text) {
      found.push_back({name, text, other->second});
    }
  }
  for (const auto& [name, text] : b) {
    if (!a.contains(name)) found.push_back({name, std::nullopt, text});
  }
  return found;
}

/// Lines that one has more often than the other, in their order.
std::vector<TextChange> line_changes(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::map<std::string_view, int64_t> surplus;
  for (const std::string& line : a) ++surplus[line];
  for (const std::string& line : b) --surplus[line];
  std::vector<TextChange> found;
  for (const std::string& line : a) {
    if (auto& count = surplus[line]; count > 0) --count, found.push_back({"", line, std::nullopt});
  }
  for (const std::string& line : b) {
    if (auto& count = surplus[line]; count < 0) ++count, found.push_back({"", std::nullopt, line});
  }
  return found;
}

void add_lines(std::string_view text, const std::string& prefix, std::vector<std::string>& lines) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (!line.empty() && !line.starts_with('#')) lines.push_back(prefix + std::string(line));
  }
}

/// Nodes of a graph, or the code and the plain attributes of a program, one a line.
Result<std::vector<std::string>> program_lines(const FileContents& contents) {
  std::vector<std::string> lines;
  if (contents.graph) {
    add_lines(contents.graph->text(), "", lines);
    return lines;
  }
  const script::CodeSource& source = contents.program->classes->source();
  for (const std::string& path : source.files) {
    if (!path.ends_with(".py")) continue;
    LAN_TRY(const std::string text, source.read(path));
    add_lines(text, path + ": ", lines);
  }
  for (const ModuleEntry& entry : list_modules(*contents.program)) {
    const std::string prefix = entry.name.empty() ? "" : entry.name + ".";
    if (entry.training) lines.push_back(prefix + "training = " + (*entry.training ? "True" : "False"));
    for (const auto& [key, value] : entry.settings) lines.push_back(prefix + key + " = " + value);
  }
  return lines;
}

/// All leaves with their texts, and of containers of a class of their own the class.
Result<Texts> object_texts(const ObjectTree& tree) {
  LAN_TRY(const std::vector<ObjectEntry> entries, list_objects(tree));
  constexpr size_t kMostBytes = 100'000;
  Texts texts;
  for (const ObjectEntry& entry : entries) {
    const std::string type = object_type(tree, entry.id);
    if (is_object_leaf(tree, entry.id)) {
      texts[entry.name] = object_text(tree, entry.id, kMostBytes);
    } else {
      const Object& object = tree[entry.id];
      texts[entry.name] = type + (object.items.empty() ? ", empty" : "");
    }
  }
  return texts;
}

/// Metadata of the contents, not of how the file is written.
Texts metadata_of(const Model& model) {
  Texts texts;
  for (const auto& [key, value] : model.metadata()) {
    if (key != "pickle protocol" && key != "byte order") texts[key] = value;
  }
  return texts;
}

/// For each tensor that is tied the first of its group that both files have.
Texts tie_leaders(const Model& model, const Model& other) {
  Texts leaders;
  for (const auto& names : tied_names(model.tensors())) {
    std::string first;
    for (const std::string& name : names) {
      if (!other.tensors().find(name)) continue;
      if (first.empty()) {
        first = name;
      } else {
        leaders[name] = first;
      }
    }
  }
  return leaders;
}

bool keeps_ties(const Model& model) {
  return model.format().starts_with("torch");  // torch, torch-legacy, torchscript
}

bool has_data(const Tensor& tensor) { return tensor.defined() && tensor.storage(); }

Status compare_values(const Model& a, const Model& b, const DiffOptions& options, FileDifference& found) {
  Progress progress("comparing", total_bytes(a.tensors()));
  for (const NamedTensor& entry : a.tensors().entries()) {
    const Tensor& in_a = entry.tensor;
    const Tensor* in_b = b.tensors().find(entry.name);
    if (!in_b) {
      found.only_in_a.push_back(entry.name);
      continue;
    }
    ++found.compared_tensors;
    TensorChange change{entry.name, &in_a, in_b};
    change.dtype = in_a.dtype() != in_b->dtype();
    change.shape = in_a.shape() != in_b->shape();
    bool differs = change.shape || (change.dtype && !options.ignore_dtype);
    if (!change.shape && has_data(in_a) && has_data(*in_b)) {
      auto values = compare_tensors(in_a, *in_b, options.tolerance, &progress);
      if (values && values->count > 0) change.values = *values;
      if (!values && values.error().code != ErrorCode::kUnsupported) return std::move(values).error().at(entry.name);
      differs = differs || change.values || !values;
    }
    if (differs) found.tensors.push_back(std::move(change));
  }
  for (const NamedTensor& entry : b.tensors().entries()) {
    if (!a.tensors().find(entry.name)) found.only_in_b.push_back(entry.name);
  }
  return ok();
}

Status compare_programs(const Model& a, const Model& b, FileDifference& found) {
  const FileContents &in_a = a.impl()->contents, &in_b = b.impl()->contents;
  const bool same_kind = (in_a.graph && in_b.graph) || (in_a.program && in_b.program);
  if (!same_kind) {
    if (a.runnable() != b.runnable()) {
      found.graph.push_back({"", a.runnable() ? std::optional<std::string>("a program") : std::nullopt,
                             b.runnable() ? std::optional<std::string>("a program") : std::nullopt});
    } else if (a.runnable()) {
      found.notes.push_back("a graph and a program are not compared; `lanthorn verify` compares their outputs");
    }
    return ok();
  }
  LAN_TRY(const std::vector<std::string> lines_a, program_lines(in_a));
  LAN_TRY(const std::vector<std::string> lines_b, program_lines(in_b));
  found.graph = line_changes(lines_a, lines_b);
  return ok();
}

}  // namespace

Result<FileDifference> compare_models(const Model& a, const Model& b, const DiffOptions& options) {
  FileDifference found;
  LAN_OK(compare_values(a, b, options, found));
  if (options.tensors_only) return found;
  if (keeps_ties(a) && keeps_ties(b)) {
    found.ties = changes(tie_leaders(a, b), tie_leaders(b, a));
  }
  if (a.objects() && b.objects()) {
    LAN_TRY(const Texts in_a, object_texts(*a.objects()));
    LAN_TRY(const Texts in_b, object_texts(*b.objects()));
    found.compared_objects = std::max(in_a.size(), in_b.size());
    found.objects = changes(in_a, in_b);
  } else {
    found.metadata = changes(metadata_of(a), metadata_of(b));
    if (a.objects() || b.objects()) {
      found.notes.push_back("only " + std::string(a.objects() ? "A" : "B") + " is a pickle; what it holds beside tensors is not compared");
    }
  }
  LAN_OK(compare_programs(a, b, found));
  return found;
}

}  // namespace lanthorn
