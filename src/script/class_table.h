#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/result.h"
#include "script/syntax.h"

namespace lanthorn::script {

/// One parsed file of an archive's code. Functions and classes keep it alive.
struct SourceFile {
  std::string path;  // in the archive: "code/__torch__/torchvision/models/resnet.py"
  std::string text;
  FileSyntax syntax;
  std::vector<uint32_t> line_starts;  // offsets of lines 2, 3, ...

  /// The line of an offset, from 1.
  size_t line(uint32_t offset) const;
};

/// A free function or a method. Immutable.
struct Function {
  std::string name;  // qualified: "__torch__.torch.nn.functional.relu"
  std::shared_ptr<const SourceFile> file;
  const FunctionSyntax* syntax = nullptr;
};

/// A class of the archive. Immutable.
class ClassType {
 public:
  enum class Kind : uint8_t { kModule, kPlain, kNamedTuple, kEnum, kInterface, kOpaque };
  std::string name;  // qualified
  Kind kind = Kind::kPlain;
  std::shared_ptr<const SourceFile> file;  // null for kOpaque: a class written in C++
  const ClassSyntax* syntax = nullptr;     // null for kOpaque

  const FieldSyntax* field(std::string_view field_name) const;
  std::shared_ptr<const Function> method(std::string_view method_name) const;
  std::vector<std::string> method_names() const;
  bool is_parameter(std::string_view field_name) const;
  bool is_buffer(std::string_view field_name) const;
  /// The name with the part that PyTorch puts in to tell equal names apart taken out.
  std::string readable_name() const;

  std::map<std::string, std::shared_ptr<const Function>, std::less<>> methods;
};

/// Where the code comes from.
struct CodeSource {
  std::vector<std::string> files;  // paths in the archive, "code/__torch__.py"
  std::function<Result<std::string>(const std::string& path)> read;
};

/// All classes and functions of an archive's code, parsed file by file when first asked for. Safe
/// for many threads.
class ClassTable {
 public:
  explicit ClassTable(CodeSource source);

  /// The class of a qualified name, "__torch__.torch.nn.modules.linear.Linear". Names under
  /// "__torch__.torch.classes." are opaque. kCorrupt if the code has no such class.
  Result<std::shared_ptr<const ClassType>> find_class(std::string_view name) const;
  /// A free function of a qualified name.
  Result<std::shared_ptr<const Function>> find_function(std::string_view name) const;
  /// Whether a name is a class, a function, or neither. Errors are those of parsing.
  enum class What : uint8_t { kNothing, kClass, kFunction };
  Result<What> what(std::string_view name) const;
  /// The line of the model's own source that a place of the code was printed from, as far as the
  /// archive's debug records tell ("models/resnet.py:93"); else the archive's own file and line.
  std::string place(const SourceFile& file, uint32_t offset) const;
  /// Parses every file: for tests and `inspect`. The first error.
  Status parse_all() const;
  const CodeSource& source() const { return source_; }

 private:
  struct File {
    std::shared_ptr<const SourceFile> source;
    std::map<std::string, std::shared_ptr<const ClassType>, std::less<>> classes;
    std::map<std::string, std::shared_ptr<const Function>, std::less<>> functions;
  };
  /// The file that holds a qualified name; null if there is none.
  Result<const File*> file_of(std::string_view name) const;

  CodeSource source_;
  std::map<std::string, std::string, std::less<>> paths_;  // "__torch__.torchvision.models" -> path
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::unique_ptr<File>, std::less<>> parsed_;
  mutable std::map<std::string, std::shared_ptr<const ClassType>, std::less<>> opaque_;
};

}  // namespace lanthorn::script
