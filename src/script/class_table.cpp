#include "script/class_table.h"

#include <algorithm>

#include "script/debug_records.h"
#include "script/parser.h"

namespace lanthorn::script {
namespace {

constexpr std::string_view kTorchbind = "__torch__.torch.classes.";

std::pair<std::string_view, std::string_view> split_name(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {"", name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

ClassType::Kind kind_of(std::string_view base) {
  if (base == "Module") return ClassType::Kind::kModule;
  if (base == "NamedTuple") return ClassType::Kind::kNamedTuple;
  if (base == "Enum") return ClassType::Kind::kEnum;
  if (base == "Interface" || base == "ModuleInterface") return ClassType::Kind::kInterface;
  return ClassType::Kind::kPlain;
}

bool contains(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

size_t SourceFile::line(uint32_t offset) const {
  const auto after = std::upper_bound(line_starts.begin(), line_starts.end(), offset);
  return static_cast<size_t>(after - line_starts.begin()) + 1;
}

const FieldSyntax* ClassType::field(std::string_view field_name) const {
  if (!syntax) return nullptr;
  for (const FieldSyntax& field : syntax->fields) {
    if (field.name == field_name) return &field;
  }
  return nullptr;
}

std::shared_ptr<const Function> ClassType::method(std::string_view method_name) const {
  const auto it = methods.find(method_name);
  return it == methods.end() ? nullptr : it->second;
}

std::vector<std::string> ClassType::method_names() const {
  std::vector<std::string> names;
  if (!syntax) return names;
  for (const FunctionSyntax& function : syntax->methods) names.emplace_back(function.name);
  return names;
}

bool ClassType::is_parameter(std::string_view name) const {
  return syntax && contains(syntax->parameters, name);
}
bool ClassType::is_buffer(std::string_view name) const {
  return syntax && contains(syntax->buffers, name);
}

std::string ClassType::readable_name() const {
  std::string out = name;
  if (const size_t at = out.find("___torch_mangle_"); at != std::string::npos) {
    const size_t dot = out.find('.', at);
    out.erase(at, dot == std::string::npos ? std::string::npos : dot + 1 - at);
  }
  if (out.starts_with("__torch__.")) out.erase(0, 10);
  return out;
}

ClassTable::ClassTable(CodeSource source) : source_(std::move(source)) {
  for (const std::string& path : source_.files) {
    if (!path.ends_with(".py")) continue;
    std::string name = path.substr(0, path.size() - 3);
    if (name.starts_with("code/")) name.erase(0, 5);
    std::replace(name.begin(), name.end(), '/', '.');
    paths_.emplace(std::move(name), path);
  }
}

Result<const ClassTable::File*> ClassTable::file_of(std::string_view name) const {
  const auto path = paths_.find(name);
  if (path == paths_.end()) return static_cast<const File*>(nullptr);
  const std::lock_guard lock(mutex_);
  if (const auto it = parsed_.find(name); it != parsed_.end()) return it->second.get();
  auto text = source_.read(path->second);
  if (!text) return std::move(text).error().at(path->second);
  auto source = std::make_shared<SourceFile>();
  source->path = path->second;
  source->text = *std::move(text);
  auto syntax = parse_file(source->text);
  if (!syntax) return std::move(syntax).error().at(path->second);
  source->syntax = *std::move(syntax);
  for (size_t i = 0; i < source->text.size(); ++i) {
    if (source->text[i] == '\n') source->line_starts.push_back(static_cast<uint32_t>(i + 1));
  }

  auto file = std::make_unique<File>();
  file->source = source;
  const std::string prefix = std::string(name) + ".";
  for (const FunctionSyntax& function : source->syntax.functions) {
    file->functions.emplace(std::string(function.name),
                            std::make_shared<Function>(
                                Function{prefix + std::string(function.name), source, &function}));
  }
  for (const ClassSyntax& syntax_of_class : source->syntax.classes) {
    auto type = std::make_shared<ClassType>();
    type->name = prefix + std::string(syntax_of_class.name);
    type->kind = kind_of(syntax_of_class.base);
    type->file = source;
    type->syntax = &syntax_of_class;
    for (const FunctionSyntax& method : syntax_of_class.methods) {
      type->methods.emplace(std::string(method.name),
                            std::make_shared<Function>(Function{
                                type->name + "." + std::string(method.name), source, &method}));
    }
    file->classes.emplace(std::string(syntax_of_class.name), std::move(type));
  }
  return parsed_.emplace(std::string(name), std::move(file)).first->second.get();
}

Result<std::shared_ptr<const ClassType>> ClassTable::find_class(std::string_view name) const {
  if (name.starts_with(kTorchbind)) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const ClassType>& known = opaque_[std::string(name)];
    if (!known) {
      auto type = std::make_shared<ClassType>();
      type->name = std::string(name);
      type->kind = ClassType::Kind::kOpaque;
      known = std::move(type);
    }
    return known;
  }
  const auto [file_name, class_name] = split_name(name);
  LAN_TRY(const File* const file, file_of(file_name));
  if (file) {
    if (const auto it = file->classes.find(class_name); it != file->classes.end())
      return it->second;
  }
  return Error{ErrorCode::kCorrupt, "the archive's code has no class '" + std::string(name) + "'",
               "", ""};
}

Result<std::shared_ptr<const Function>> ClassTable::find_function(std::string_view name) const {
  const auto [file_name, function_name] = split_name(name);
  LAN_TRY(const File* const file, file_of(file_name));
  if (file) {
    if (const auto it = file->functions.find(function_name); it != file->functions.end())
      return it->second;
  }
  return Error{ErrorCode::kCorrupt,
               "the archive's code has no function '" + std::string(name) + "'", "", ""};
}

Result<ClassTable::What> ClassTable::what(std::string_view name) const {
  if (name.starts_with(kTorchbind)) return What::kClass;
  const auto [file_name, last] = split_name(name);
  LAN_TRY(const File* const file, file_of(file_name));
  if (!file) return What::kNothing;
  if (file->classes.contains(last)) return What::kClass;
  if (file->functions.contains(last)) return What::kFunction;
  return What::kNothing;
}

Status ClassTable::parse_all() const {
  for (const auto& [name, path] : paths_) {
    LAN_OK(file_of(name));
  }
  return ok();
}

std::string ClassTable::place(const SourceFile& file, uint32_t offset) const {
  const std::string debug_path = file.path + ".debug_pkl";
  if (std::find(source_.files.begin(), source_.files.end(), debug_path) != source_.files.end()) {
    if (const auto bytes = source_.read(debug_path)) {
      const std::string found = place_from_debug_records(*bytes, offset);
      if (!found.empty()) return found;
    }
  }
  return file.path + ":" + std::to_string(file.line(offset));
}

}  // namespace lanthorn::script
