#include <algorithm>
#include <cstdio>

#include "cli/inspect_shared.h"
#include "cli/tensor_facts_shared.h"
#include "formats/torch/object_text.h"
#include "model/graph_cost.h"

namespace lanthorn {
namespace {

constexpr size_t kLineBytes = 100;

/// "OrderedDict of 9: 9 tensors", "list of 2", "Config(width=9, lr=0.001)", "0.05".
std::string summary(const ObjectTree& tree, ObjectId id) {
  const Object& object = tree[id];
  std::string text = object_text(tree, id, kLineBytes);
  const bool pairs = object.kind == Object::Kind::kDict;
  if ((pairs || object.kind == Object::Kind::kList) && text.ends_with("...")) {
    size_t held = 0;
    for (size_t i = pairs ? 1 : 0; i < object.items.size(); i += pairs ? 2 : 1) {
      held += tree[object.items[i]].kind == Object::Kind::kTensor;
    }
    text = object_type(tree, id) + " of " + std::to_string(object.items.size() / (pairs ? 2 : 1));
    if (held > 0) text += ", " + std::to_string(held) + " tensors";
    if (held == 0 && pairs) {
      text += ":";
      for (size_t i = 0; i < object.items.size() && text.size() < kLineBytes; i += 2) {
        text += " " + object_text(tree, object.items[i], kLineBytes);
      }
    }
  }
  return text;
}

/// What is at the top of a checkpoint, one line each.
void print_contents(const ObjectTree& tree) {
  constexpr size_t kMostLines = 40;
  if (tree.empty() || tree[tree.root].kind != Object::Kind::kDict) return;
  const std::vector<ObjectId>& items = tree[tree.root].items;
  // A plain state_dict is what --tensors lists.
  const bool only_tensors = [&] {
    for (size_t i = 1; i < items.size(); i += 2) {
      if (tree[items[i]].kind != Object::Kind::kTensor) return false;
    }
    return true;
  }();
  if (only_tensors) return;
  std::printf("  contents\n");
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (i / 2 == kMostLines) {
      std::printf("    ... and %zu more (--objects, --tensors)\n", items.size() / 2 - kMostLines);
      break;
    }
    std::string key = object_text(tree, items[i], 60);
    if (tree[items[i]].kind == Object::Kind::kString) key = tree[items[i]].text.substr(0, 60);
    std::printf("    %-24s %s\n", printable(key).c_str(), printable(summary(tree, items[i + 1])).c_str());
  }
}

Status print_objects(const ObjectTree& tree) {
  LAN_TRY(const std::vector<ObjectEntry> entries, list_objects(tree));
  std::printf("\n");
  for (const ObjectEntry& entry : entries) {
    const bool leaf = is_object_leaf(tree, entry.id);
    const std::string name = object_class(tree, entry.id);
    const std::string type = name.empty() ? object_type(tree, entry.id) : name;
    const Object& object = tree[entry.id];
    std::string text = leaf ? object_text(tree, entry.id, 400) : "";
    if (!leaf && object.kind != Object::Kind::kInstance) {
      text = "of " + std::to_string(object.items.size() / (object.kind == Object::Kind::kDict ? 2 : 1));
    }
    std::printf("  %-48s %-16s %s\n", entry.name.empty() ? "(root)" : printable(entry.name).c_str(), printable(type).c_str(), printable(text).c_str());
  }
  return ok();
}

void print_modules(const std::vector<ModuleEntry>& modules) {
  std::printf("\n");
  for (const ModuleEntry& entry : modules) {
    const auto depth = entry.name.empty() ? 0 : 1 + std::count(entry.name.begin(), entry.name.end(), '.');
    std::string line(2 * static_cast<size_t>(depth + 1), ' ');
    line += (entry.name.empty() ? "(model)" : entry.name.substr(entry.name.rfind('.') + 1)) + ": " + entry.class_name + "(";
    for (size_t i = 0; i < entry.settings.size(); ++i) {
      line += (i > 0 ? ", " : "") + entry.settings[i].first + "=" + entry.settings[i].second;
    }
    line += ")";
    if (entry.training.value_or(false)) line += " training";
    for (const auto& [what, names] : {std::pair("parameters", &entry.parameters), std::pair("buffers", &entry.buffers)}) {
      if (names->empty()) continue;
      line += std::string("; ") + what;
      for (const std::string& name : *names) line += " " + name;
    }
    for (const ModuleEntry::Hook& hook : entry.hooks) line += "; " + hook.kind + " hook " + hook.function;
    std::printf("%s\n", printable(line).c_str());
  }
}

Status print_tensors(const Model& model, const InspectOptions& options) {
  std::printf("\n");
  Progress progress("reading", bytes_to_read(model, options));
  for (const NamedTensor& entry : model.tensors().entries()) {
    std::string hex, facts;
    if (options.digest) {
      LAN_TRY(hex, tensor_digest(entry.tensor, &progress));
      const std::string carried = carried_digest(model, entry.name);
      if (!carried.empty()) hex += carried == hex ? ", as the file says" : ", but the file says " + carried;
    }
    if (options.stats) {
      LAN_TRY(const TensorStatistics statistics, tensor_statistics(entry.tensor, &progress));
      facts = statistics_text(statistics);
    }
    progress.wipe();
    std::printf("  %-48s %-10s %-20s %s\n", printable(entry.name).c_str(), std::string(dtype_name(entry.tensor.dtype())).c_str(),
                shape_text(entry.tensor.shape()).c_str(), bytes_text(entry.tensor.byte_size()).c_str());
    if (const Quantizer* quantizer = quantizer_named(model, entry.name)) std::printf("    %s\n", quantizer_text(*quantizer).c_str());
    if (!facts.empty()) std::printf("    %s\n", facts.c_str());
    if (!hex.empty()) std::printf("    sha256 %s\n", printable(hex).c_str());
  }
  for (const auto& names : tied_names(model.tensors())) {
    std::string line;
    for (const std::string& name : names) line += (line.empty() ? "" : " = ") + name;
    std::printf("  tied: %s\n", printable(line).c_str());
  }
  return ok();
}

/// "8174272000", "1.2 G"
std::string operations_text(int64_t count) {
  constexpr const char* kUnits[] = {"", " k", " M", " G", " T", " P"};
  double scaled = static_cast<double>(count);
  size_t unit = 0;
  for (; scaled >= 1000 && unit + 1 < std::size(kUnits); scaled /= 1000) ++unit;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f%s" : "%.2f%s", scaled, kUnits[unit]);
  return text;
}

Status print_cost(const Model& model) {
  LAN_TRY(const ExampleGraph example, inferred_graph(model, true));
  if (!example.graph) {
    std::printf("  cost        not known: the file has no graph, and no example inputs lead to one (--input-shape)\n");
    return ok();
  }
  std::string operators;
  for (const auto& [name, count] : count_operators(*example.graph)) operators += (operators.empty() ? "" : ", ") + name + " " + std::to_string(count);
  std::printf("  operators   %s\n", printable(operators).c_str());
  const GraphCost cost = cost_of(*example.graph, example.shapes);
  std::string shapes;
  for (const Shape& shape : example.shapes) shapes += (shapes.empty() ? " for " : ", ") + shape_text(shape);
  std::printf("  operations  %s%s\n", cost.operations_here ? operations_text(*cost.operations_here).c_str() : "not known", shapes.c_str());
  std::printf("  memory      %s of weights, %s of intermediate results\n", bytes_text(total_bytes(model.tensors())).c_str(),
              cost.activation_bytes ? ("at most " + bytes_text(*cost.activation_bytes)).c_str() : "an unknown number");
  return ok();
}

}  // namespace

Status inspect_as_text(const Model& model, const InspectOptions& options) {
  if (options.graph == "dot" || options.graph == "mermaid") {
    // For another program, which wants nothing else.
    LAN_TRY(const std::string text, graph_text(model, options.graph));
    std::printf("%s", text.c_str());
    return ok();
  }
  std::printf("%s\n", options.file.c_str());
  std::printf("  format      %s%s%s\n", model.format().c_str(), model.format_version().empty() ? "" : ", version ",
              printable(model.format_version()).c_str());
  if (!model.producer().empty()) std::printf("  producer    %s\n", printable(model.producer()).c_str());
  for (const auto& [what, ports] : {std::pair("input", &model.inputs()), std::pair("output", &model.outputs())}) {
    for (const Port& port : *ports) std::printf("  %-11s %s\n", what, printable(port.name + ": " + port_text(port)).c_str());
  }
  if (model.runnable() && model.is_classifier()) std::printf("  kind        classifier\n");
  std::printf("  tensors     %zu, %llu elements, %s\n", model.tensors().size(),
              static_cast<unsigned long long>(parameter_count(model.tensors())), bytes_text(total_bytes(model.tensors())).c_str());
  for (const auto& [key, value] : model.metadata()) std::printf("  %-11s %s\n", printable(key).c_str(), printable(value).c_str());
  LAN_TRY(const std::vector<ModuleEntry> modules, modules_of(model));
  if (!modules.empty()) {
    std::printf("  modules     %zu, %s%s\n", modules.size(), printable(modules[0].class_name).c_str(), options.modules ? "" : " (--modules lists them)");
  }
  if (model.objects()) print_contents(*model.objects());
  for (const std::string& note : model.notes()) std::printf("  note        %s\n", printable(note).c_str());
  if (options.cost) LAN_OK(print_cost(model));
  if (options.modules) print_modules(modules);
  if (options.objects && model.objects()) LAN_OK(print_objects(*model.objects()));
  if (options.tensors) LAN_OK(print_tensors(model, options));
  if (!options.graph.empty()) {
    LAN_TRY(const std::string text, graph_text(model, options.graph));
    std::printf("\n%s", text.c_str());
  }
  if (options.code) std::printf("\n%s", model.code().c_str());
  return ok();
}

}  // namespace lanthorn
