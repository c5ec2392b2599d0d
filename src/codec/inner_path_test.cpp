#include "codec/inner_path.h"

#include <gtest/gtest.h>

namespace lanthorn {
namespace {

TEST(inner_path, only_what_cannot_leave_the_folder_stays_in_it) {
  for (const std::string_view location :
       {"weights.bin", "./weights.bin", "data/0", "a..b", "...", "data//0"}) {
    EXPECT_TRUE(stays_in_folder(location)) << location;
  }
  for (const std::string_view location :
       {std::string_view("/etc/passwd"), std::string_view("../x"), std::string_view("a/../../x"),
        std::string_view("a/.."), std::string_view("..\\x"), std::string_view("a\0b", 3)}) {
    EXPECT_FALSE(stays_in_folder(location)) << location;
  }
}

TEST(inner_path, below_is_neither_beside_nor_the_folder_itself) {
  EXPECT_TRUE(lies_below("/models/a/weights.bin", "/models/a"));
  EXPECT_TRUE(lies_below("/models/a/b/weights.bin", "/models/a"));
  EXPECT_TRUE(lies_below("/weights.bin", "/"));
  EXPECT_FALSE(lies_below("/models/ab/weights.bin", "/models/a"));
  EXPECT_FALSE(lies_below("/models/weights.bin", "/models/a"));
  EXPECT_FALSE(lies_below("/models/a", "/models/a"));
}

}  // namespace
}  // namespace lanthorn
