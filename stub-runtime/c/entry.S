/* The first instructions: the kernel is told not to read whatever lies around a page that is missing, and what a boot
   needs of this file is asked for at once, unless the last page of that is in memory already. Without this a cold start
   waits for megabytes of which it uses a tenth. A kernel that refuses these calls reads more.

   Then the addresses of the engine's code that is compressed are taken, before there is a heap that may come to lie
   there: `boot/code.rs` looks at edge_cold_code_at. Where things lie says stub.ld. */

#define MADV_RANDOM 1
#define MADV_WILLNEED 3
/* Private, anonymous, not counted as used, and over nothing that is there. */
#define RESERVE 0x104022

    .section .data.edge_cold_code_at, "aw", %progbits
    .balign 8
    .globl edge_cold_code_at
edge_cold_code_at:
    .quad 0

    .section .text.edge_entry, "ax", %progbits
    .globl edge_entry
    .type edge_entry, %function

#if defined(__x86_64__)

.macro advise bytes, advice
    movl $28, %eax
    movl $edge_needed, %edi
    movl $\bytes, %esi
    movl $\advice, %edx
    syscall
.endm

edge_entry:
    advise edge_all_bytes, MADV_RANDOM
    /* mincore */
    movl $27, %eax
    movl $edge_needed_last, %edi
    movl $1, %esi
    leaq -8(%rsp), %rdx
    movb $0, (%rdx)
    syscall
    testb $1, -8(%rsp)
    jnz 1f
    advise edge_needed_bytes, MADV_WILLNEED
1:
    /* mmap */
    movl $9, %eax
    movl $edge_cold_code_start, %edi
    movl $edge_cold_code_bytes, %esi
    xorl %edx, %edx
    movl $RESERVE, %r10d
    movq $-1, %r8
    xorl %r9d, %r9d
    syscall
    movq %rax, edge_cold_code_at
    /* What the kernel leaves there for the C library: no function to call at exit. */
    xorl %edx, %edx
    jmp _start

#elif defined(__aarch64__)

.macro advise bytes, advice
    mov x8, #233
    ldr x0, =edge_needed
    ldr x1, =\bytes
    mov x2, #\advice
    svc #0
.endm

edge_entry:
    advise edge_all_bytes, MADV_RANDOM
    /* mincore */
    mov x8, #232
    ldr x0, =edge_needed_last
    mov x1, #1
    str xzr, [sp, #-16]!
    mov x2, sp
    svc #0
    ldrb w2, [sp], #16
    tbnz w2, #0, 1f
    advise edge_needed_bytes, MADV_WILLNEED
1:
    /* mmap */
    mov x8, #222
    ldr x0, =edge_cold_code_start
    ldr x1, =edge_cold_code_bytes
    mov x2, #0
    ldr x3, =RESERVE
    mov x4, #-1
    mov x5, #0
    svc #0
    ldr x1, =edge_cold_code_at
    str x0, [x1]
    mov x0, #0
    b _start
    .ltorg

#elif defined(__arm__)

.macro advise bytes, advice
    mov r7, #220
    ldr r0, =edge_needed
    ldr r1, =\bytes
    mov r2, #\advice
    svc #0
.endm

    .arm
edge_entry:
    advise edge_all_bytes, MADV_RANDOM
    /* mincore */
    mov r7, #219
    ldr r0, =edge_needed_last
    mov r1, #1
    mov r2, #0
    str r2, [sp, #-8]!
    mov r2, sp
    svc #0
    ldrb r2, [sp], #8
    tst r2, #1
    bne 1f
    advise edge_needed_bytes, MADV_WILLNEED
1:
    /* mmap2 */
    mov r7, #192
    ldr r0, =edge_cold_code_start
    ldr r1, =edge_cold_code_bytes
    mov r2, #0
    ldr r3, =RESERVE
    mvn r4, #0
    mov r5, #0
    svc #0
    ldr r1, =edge_cold_code_at
    str r0, [r1]
    mov r0, #0
    b _start
    .ltorg

#endif

    .section .note.GNU-stack, "", %progbits
